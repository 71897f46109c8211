// Entries of AdvancedMemoryAllocator and MemoryPool.
import { inspect } from 'node:util';
import { AdvancedMemoryAllocator, MemoryPool, check, fail } from '../_allocators.mjs';
import { entriesOf } from './calls.mjs';
import { TYPES } from './truth.mjs';
import { Hostile } from './values.mjs';

/** What a call that went well was told; a getter that is asked once more may throw this time. */
function overflowOf(options) {
  for (;;) {
    try {
      return options?.overflow;
    } catch (error) {
      if (!(error instanceof Hostile)) throw error;
    }
  }
}

export function allocatorEntries(a, truth) {
  const regionOf = (allocator) => truth.entryOf(allocator) ?? fail(`an allocator that is none answered: ${String(allocator)}`);
  const ends = (closes) => (_, __, self) => regionOf(self).isOpen && truth.cleared(regionOf(self), closes);
  const table = {
    new: { isStatic: true, refuses: true, args: [a.name, a.name], call: (_, args) => new AdvancedMemoryAllocator(...args) },
    getInstance: {
      isStatic: true,
      args: [a.name, a.oneOf(...TYPES), a.totalSize, a.smallAlignment, a.ringOptions],
      after: (allocator, [, , , , options]) => truth.adoptRegion(allocator, overflowOf(options)),
    },
    name: {},
    type: {},
    totalSize: {},
    alignment: {},
    toString: {},
    allocate: { often: true, args: [a.smallSize, a.label], after: (memory, _, self) => truth.adoptMemory(memory, regionOf(self)) },
    tryAllocate: { often: true, args: [a.smallSize], after: (memory, _, self) => memory !== null && truth.adoptMemory(memory, regionOf(self)) },
    free: { args: [a.memoryOf], after: (_, [memory]) => truth.died(memory) },
    reset: { after: (_, __, self) => truth.cleared(regionOf(self), false) },
    close: { rare: true, after: ends(true) },
    trim: { args: [] },
    getStats: {},
    mark: { self: a.arena, after: (mark, _, self) => regionOf(self).marks.push({ mark, age: regionOf(self).nextAge }) },
    rewind: { self: a.markedArena, args: [a.mark], after: (_, [mark], self) => truth.rewound(mark, regionOf(self)) },
    [Symbol.dispose]: { rare: true, after: ends(true) },
    [inspect.custom]: { args: [a.few, () => ({}), () => inspect] },
  };
  return entriesOf(AdvancedMemoryAllocator, table, a.allocator);
}

/** Waits for a block of a pool: what is not served at once is served, refused or given up later. */
export function makeWaits(truth, { judge, pick, below }, values) {
  const waits = new Set(); // { pool }
  const controllers = [];

  function enter(promise, pool) {
    const wait = { pool };
    waits.add(wait);
    promise.then(
      (block) => truth.adopt(block, truth.entryOf(pool) ?? fail('a pool that is none gave a block')),
      (error) => judge(error, 'MemoryPool.acquireAsync'),
    ).finally(() => waits.delete(wait));
  }

  /** Real signals, some whose methods are code. */
  function signal() {
    const controller = new AbortController();
    controllers.push(controller);
    const given = controller.signal;
    const name = pick(['addEventListener', 'removeEventListener', 'aborted', 'reason', 'none', 'none']);
    if (name !== 'none') Object.defineProperty(given, name, name.endsWith('ner') ? { value: values.act(undefined) } : { get: values.act(false) });
    if (below(4) === 0) controller.abort(new Hostile('aborted'));
    return given;
  }

  return {
    enter,
    signal,
    waiting: (pool) => [...waits].filter((wait) => wait.pool === pool).length,
    /** Some give up. */
    tend: () => controllers.splice(0, below(8)).forEach((controller) => controller.abort(new Hostile('aborted'))),
  };
}

export function poolEntries(a, truth, waits, values, { pick, below }) {
  const options = a.or(() => pick([undefined, {}, { timeoutMs: below(3) }, { signal: waits.signal() }, { signal: waits.signal(), timeoutMs: 1 }, values.options('signal', 'timeoutMs')]));
  const poolOf = (pool) => truth.entryOf(pool) ?? fail(`a pool that is none answered: ${String(pool)}`);
  const closed = (_, __, self) => (poolOf(self).isClosed = true);
  const table = {
    new: {
      isStatic: true,
      rare: true,
      args: [a.size, a.smallAlignment, a.maxPoolSize, a.poolOptions],
      call: (_, args) => Reflect.construct(MemoryPool, args, pick([MemoryPool, MemoryPool, class extends MemoryPool {}])),
      after: truth.adoptPool,
    },
    acquire: { often: true, after: (block, _, self) => truth.adopt(block, poolOf(self)) },
    acquireAsync: { args: [options], isLater: true, call: (self, args) => Reflect.apply(MemoryPool.prototype.acquireAsync, self, args), after: (promise, _, self) => waits.enter(promise, self) },
    release: { often: true, args: [a.blockOf], after: (_, [block]) => truth.died(block) },
    clear: {},
    close: { rare: true, after: closed },
    getStats: { after: ({ available, maxSize }) => check(available <= maxSize, 'a pool keeps no more than it may') },
    toString: {},
    [Symbol.dispose]: { rare: true, after: closed },
    [inspect.custom]: { args: [a.few, () => ({}), () => inspect] },
  };
  return entriesOf(MemoryPool, table, a.pool);
}
