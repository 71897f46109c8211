// Properties of the life of a MemoryBlock:
// - a dead block tells id, size, address, freed and freedTimestamp; the rest only if it was read before
// - after free every method throws ERR_OFFHEAP_USE_AFTER_FREE; a second free is ERR_OFFHEAP_DOUBLE_FREE
// - dispose is idempotent, and `using` frees at the end of the scope, also after a throw
// - reallocation keeps contents, alignment and label, in place and moved, and kills the old handle
// - timestamps and ages are those of the wall clock within 20 ms, even if the process was stopped while it read the clock
// - toString and util.inspect show the documented text, live and dead
// - a forged `this`, and a handle nobody allocated, are ERR_INVALID_ARG_TYPE
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { DirectMemoryManager as Manager, MemoryBlock, OffHeapError } from '../index.js';
import type { Alignment } from '../index.js';
import { binding } from '../facade/native.js';
import { CLOCK_MS, TIME, inOneOfSomeTries } from './_clock.js';
import { freeEverything } from './_settled.js';

const TYPE = 'ERR_INVALID_ARG_TYPE';
const DEAD = 'ERR_OFFHEAP_USE_AFTER_FREE';
const TWICE = 'ERR_OFFHEAP_DOUBLE_FREE';
const IN_USE = 'ERR_OFFHEAP_IN_USE';

type Methods = { readonly [name: string]: (...args: readonly unknown[]) => unknown };
const methods = (target: object): Methods => target as unknown as Methods;

function refuses(t: ExecutionContext, act: () => unknown, code: string, about?: string): void {
  t.throws(act, { instanceOf: code.startsWith('ERR_OFFHEAP_') ? OffHeapError : TypeError, code }, about);
}

/** Expects a time between two others, which the test itself read before and after: a busy machine may stop it anywhere. */
function between(t: ExecutionContext, from: number, actual: number, to: number, about: string): void {
  t.true(actual >= from - CLOCK_MS && actual <= to + CLOCK_MS, `${TIME}${about}: ${actual}, expected ${from} to ${to} ± ${CLOCK_MS}`);
}

/** Good arguments for every method of a live block of 64 bytes. */
const CALLS: readonly (readonly [name: string, ...args: unknown[]])[] = [
  ...['Int8', 'Uint8', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64', 'BigInt64', 'BigUint64'].flatMap((type) => [
    [`get${type}`, 0] as const,
    [`set${type}`, 0, type.startsWith('Big') ? 1n : 1] as const,
  ]),
  ['atomicLoad', 'i32', 0],
  ...['Store', 'Add', 'And', 'Or', 'Xor', 'Exchange'].map((name) => [`atomic${name}`, 'i64', 8, 1n] as const),
  ['atomicCompareExchange', 'i32', 4, 0, 1],
  ['notify', 0],
  ['fill', 1],
  ['copyTo', Buffer.alloc(64)],
  ['equals', Buffer.alloc(64)],
  ['bytes'],
  ['view', Uint8Array],
  ['toArrayBuffer'],
  ['copyOut'],
  ['text'],
  ['pin'],
  ['share'],
];
/** Whatever else a block has; all of it works on a dead one but free. */
const TELLING = ['isValid', 'getAgeMs', 'toString', 'lease', 'waitAsync', 'free', 'constructor'];

test.afterEach.always('nothing stays', async (t) => {
  t.is(await freeEverything(), 0);
});

test.serial('the tables of this file name every method there is', (t) => {
  const present = new Set<string>();
  for (let shape: object = MemoryBlock.prototype; shape !== Object.prototype; shape = Object.getPrototypeOf(shape) as object) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(shape))) if (typeof value === 'function') present.add(name);
  }
  t.deepEqual([...present].sort(), [...CALLS.map(([name]) => name), ...TELLING].sort());
  const block = Manager.allocateMemory(64);
  for (const [name, ...args] of CALLS) if (name !== 'pin' && name !== 'share') t.notThrows(() => methods(block)[name]?.(...args), name);
});

const ENDINGS: readonly { readonly how: string; readonly end: (block: MemoryBlock) => void }[] = [
  { how: 'free()', end: (block) => block.free() },
  { how: 'freeMemory()', end: (block) => Manager.freeMemory(block) },
  { how: 'dispose', end: (block) => block[Symbol.dispose]() },
  { how: 'reallocateMemory() to a larger size', end: (block) => void Manager.reallocateMemory(block, 100_000) },
  { how: 'reallocateMemory() in place', end: (block) => void Manager.reallocateMemory(block, block.size) },
  { how: 'freeAllMemory()', end: () => void Manager.freeAllMemory() },
];

for (const { how, end } of ENDINGS) {
  test.serial(`after ${how} every method refuses, and the getters still tell`, inOneOfSomeTries(async (t) => {
    for (const viewed of [false, true]) {
      const block = Manager.allocateMemory(64, 'page', { label: 'dead' });
      if (viewed) block.bytes();
      const { id, size, address } = block;
      const before = Date.now();
      end(block);
      const after = Date.now();
      for (const [name, ...args] of CALLS) refuses(t, () => methods(block)[name]?.(...args), DEAD, name);
      await t.throwsAsync(block.lease(() => t.fail('the callback ran')), { instanceOf: OffHeapError, code: DEAD });
      await t.throwsAsync(block.waitAsync(0, 0), { instanceOf: OffHeapError, code: DEAD });
      refuses(t, () => Manager.setMemory(block, 0, 1, 0), DEAD);
      refuses(t, () => Manager.zeroMemory(block), DEAD);
      refuses(t, () => Manager.copyMemory(block, 0, Buffer.alloc(1), 0, 1), DEAD);
      refuses(t, () => Manager.copyMemory(Buffer.alloc(1), 0, block, 0, 1), DEAD);
      refuses(t, () => Manager.compareMemory(Buffer.alloc(1), 0, block, 0, 1), DEAD);
      refuses(t, () => Manager.mismatch(block, 0, Buffer.alloc(1), 0, 1), DEAD);
      await t.throwsAsync(Manager.copyMemoryAsync(block, 0, Buffer.alloc(1), 0, 1), { instanceOf: OffHeapError, code: DEAD });
      await t.throwsAsync(Manager.fillAsync(block, 0, 1, 0), { instanceOf: OffHeapError, code: DEAD });
      await t.throwsAsync(Manager.compareAsync(Buffer.alloc(1), 0, block, 0, 1), { instanceOf: OffHeapError, code: DEAD });
      refuses(t, () => Manager.createDirectByteBuffer(block), DEAD);
      refuses(t, () => Manager.reallocateMemory(block, 10), DEAD);
      refuses(t, () => block.free(), TWICE);
      refuses(t, () => Manager.freeMemory(block), TWICE);
      t.notThrows(() => block[Symbol.dispose]());
      t.deepEqual([block.id, block.size, block.address, block.freed, block.isValid()], [id, size, address, true, false]);
      between(t, before, block.freedTimestamp, after, 'freedTimestamp');
      t.is(block.label, undefined);
      t.is(block.alignment, undefined as never);
      t.is(block.allocatedTimestamp, undefined as never);
      t.is(block.getAgeMs(), undefined as never);
      t.is(String(block), `MemoryBlock[id=${id}, addr=0x${address.toString(16)}, size=64, alignment=?, age=?ms, freed=true]`);
      t.is(inspect(block), String(block));
    }
    Manager.freeAllMemory();
  }));
}

test.serial('a dead block keeps its alignment, label and time of birth if they were read before, and ages no more', inOneOfSomeTries(async (t) => {
  const block = Manager.allocateMemory(64, 32, { label: 'kept' });
  const { allocatedTimestamp } = block;
  await sleep(50);
  const before = Date.now();
  block.free();
  const age = block.getAgeMs();
  between(t, before - allocatedTimestamp, age, Date.now() - allocatedTimestamp, 'age');
  await sleep(50);
  t.deepEqual([block.alignment, block.label, block.allocatedTimestamp, block.getAgeMs()], [32, 'kept', allocatedTimestamp, age]);
  t.is(age, block.freedTimestamp - allocatedTimestamp);
  t.regex(String(block), new RegExp(`, alignment=32, age=${age}ms, freed=true\\]$`));
}));

test.serial('timestamps are those of Date.now() and ages run with it', inOneOfSomeTries(async (t) => {
  for (const wait of [0, 30, 600]) {
    const before = Date.now();
    const block = Manager.allocateMemory(64);
    const after = Date.now();
    await sleep(wait); // read late: the time is that of the allocation, not of the question
    between(t, before, block.allocatedTimestamp, after, 'allocatedTimestamp');
    t.is(block.allocatedTimestamp, block.allocatedTimestamp);
    const asked = Date.now();
    const age = block.getAgeMs();
    between(t, asked - after, age, Date.now() - before, 'age');
    t.is(block.freedTimestamp, 0);
    const ending = Date.now();
    block.free();
    between(t, ending, block.freedTimestamp, Date.now(), 'freedTimestamp');
    t.true(block.freedTimestamp >= block.allocatedTimestamp);
    const { freedTimestamp } = block;
    await sleep(30);
    t.is(block.freedTimestamp, freedTimestamp);
  }
}));

test.serial('a wall clock that is set, or a coarse clock that lags, makes no free come before its birth and no age negative', (t) => {
  const { nowMs, preciseNowMs } = binding;
  const block = Manager.allocateMemory(64);
  let lagMs = 0;
  binding.nowMs = () => nowMs() - lagMs;
  binding.preciseNowMs = () => preciseNowMs() - lagMs;
  try {
    lagMs = 5000; // whatever is compared with Date.now() now seems five seconds late
    const { allocatedTimestamp } = block;
    lagMs = 0;
    block.free();
    t.true(block.freedTimestamp >= allocatedTimestamp, `born ${allocatedTimestamp}, freed ${block.freedTimestamp}`);
    t.true((block.getAgeMs() as number) >= 0 && (block.getAgeMs() as number) < 4000, `${block.getAgeMs()}`);
  } finally {
    Object.assign(binding, { nowMs, preciseNowMs });
  }
});

test.serial('a process that is stopped while it looks at the clock tells the right time nevertheless', inOneOfSomeTries((t) => {
  const { preciseNowMs } = binding;
  let calls = 0;
  binding.preciseNowMs = () => {
    const until = performance.now() + (calls === 0 ? 100 : 0); // as if another process had run
    calls += 1;
    while (performance.now() < until);
    return preciseNowMs();
  };
  try {
    const before = Date.now();
    const block = Manager.allocateMemory(64);
    const after = Date.now();
    const { allocatedTimestamp } = block;
    between(t, before, allocatedTimestamp, after, 'allocatedTimestamp');
    block.free();
    between(t, after, block.freedTimestamp, Date.now(), 'freedTimestamp');
    t.true(calls > 0);
  } finally {
    binding.preciseNowMs = preciseNowMs;
  }
}));

test.serial('a live block shows itself as documented', (t) => {
  const block = Manager.allocateMemory(64, 'cache-line');
  const shape = new RegExp(`^MemoryBlock\\[id=${block.id}, addr=0x${block.address.toString(16)}, size=64, alignment=cache-line, age=\\d+ms, freed=false\\]$`);
  t.regex(block.toString(), shape);
  t.regex(`${block}`, shape);
  t.regex(inspect(block), shape);
  t.regex(inspect({ block }), /^\{\s*block: MemoryBlock\[id=/);
  t.notThrows(() => inspect(MemoryBlock.prototype));
});

test.serial('using frees at the end of the scope, once, and after a throw too', (t) => {
  const seen: MemoryBlock[] = [];
  {
    using block = Manager.allocateMemory(64);
    seen.push(block);
    t.true(block.isValid());
  }
  t.throws(() => {
    using block = Manager.allocateMemory(64);
    seen.push(block);
    throw new Error('planned');
  }, { message: 'planned' });
  {
    using block = Manager.allocateMemory(64);
    seen.push(block);
    block.free();
  }
  t.deepEqual(seen.map((block) => block.freed), [true, true, true]);
  t.is(Manager.getMemoryStats().activeBlocks, 0);
});

test.serial('dispose works once and then does nothing, but does not free what is pinned', (t) => {
  const block = Manager.allocateMemory(64);
  const pin = block.pin();
  refuses(t, () => block[Symbol.dispose](), IN_USE);
  t.true(block.isValid());
  pin[Symbol.dispose]();
  block[Symbol.dispose]();
  const freed = Manager.getMemoryStats().totalFreed;
  const next = Manager.allocateMemory(64); // takes the same memory
  block[Symbol.dispose]();
  t.true(next.isValid());
  t.is(Manager.getMemoryStats().totalFreed, freed);
});

const SIZES = [1, 60, 64, 65, 4000, 33_000, 40_000, 300_000];
const ALIGNMENTS: readonly Alignment[] = ['none', 'word', 'cache-line', 'page', 1, 2, 256, 65_536];

for (const alignment of ALIGNMENTS) {
  test.serial(`reallocation keeps contents, alignment ${alignment} and label, whether it moves or not`, (t) => {
    let [moved, stayed] = [0, 0];
    for (const from of SIZES) {
      for (const to of [from, from + 1, Math.ceil(from * 0.9), ...SIZES]) {
        const contents = Buffer.alloc(from, `${from} to ${to}|`);
        const old = MemoryBlock.from(contents, alignment, { label: 'moving' });
        if (from % 2 === 0) old.bytes();
        const { id, address } = old;
        const block = Manager.reallocateMemory(old, to);
        const kept = Math.min(from, to);
        if (Manager.compareMemory(block, 0, contents, 0, kept) !== 0) t.fail(`contents ${from} to ${to}`);
        if (block.size !== to || block.alignment !== alignment || block.label !== 'moving') t.fail(`${from} to ${to}: ${inspect(block)}`);
        if (typeof alignment === 'number' && block.address % BigInt(alignment) !== 0n) t.fail(`${from} to ${to}: ${inspect(block)}`);
        if (alignment === 'page' && block.address % BigInt(Manager.PAGE_SIZE) !== 0n) t.fail(`${from} to ${to}: ${inspect(block)}`);
        if (old.isValid() || !block.isValid() || block.id === id) t.fail(`handles ${from} to ${to}`);
        block.setUint8(to - 1, 1);
        if (block.address === address) stayed += 1;
        else moved += 1;
        block.free();
      }
    }
    t.true(moved > 0 && stayed > 0, `${moved} moved, ${stayed} stayed`);
    t.is(Manager.getMemoryStats().activeBlocks, 0);
  });
}

test.serial('reallocation of tens of MiB keeps every byte', (t) => {
  const contents = Buffer.alloc(20_000_003, 'tens of MiB|');
  let block = MemoryBlock.from(contents);
  for (const size of [40_000_001, 39_999_999, 70_000_000, 20_000_003]) {
    block = Manager.reallocateMemory(block, size);
    t.is(Manager.mismatch(block, 0, contents, 0, contents.length), -1, `${size}`);
  }
  t.true(block.equals(contents));
});

test.serial('a reallocation that is refused changes nothing', (t) => {
  const block = MemoryBlock.from(Buffer.alloc(64, 'abc'));
  const view = block.bytes();
  for (const bad of [0, -1, 1.5, NaN, 2 ** 53]) t.throws(() => Manager.reallocateMemory(block, bad), { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' });
  for (const bad of ['8', null, undefined, 8n, {}]) refuses(t, () => Manager.reallocateMemory(block, bad as number), TYPE);
  refuses(t, () => Manager.reallocateMemory(block, Number.MAX_SAFE_INTEGER), 'ERR_OFFHEAP_OUT_OF_MEMORY');
  using pin = block.pin();
  refuses(t, () => Manager.reallocateMemory(block, 100), IN_USE);
  t.truthy(pin);
  t.true(block.isValid());
  t.is(view.length, 64);
  t.true(block.equals(Buffer.alloc(64, 'abc')));
  t.is(Manager.getMemoryStats().currentAllocated, 64);
});

test.serial('a forged this is refused by every method and getter', async (t) => {
  const real = Manager.allocateMemory(64);
  const forged: readonly unknown[] = [
    Object.create(MemoryBlock.prototype),
    Object.create(real),
    new Proxy(real, {}),
    structuredClone(real),
    { ...real },
    {},
    [],
    () => real,
    null,
    undefined,
    1,
    'MemoryBlock',
    Symbol('block'),
  ];
  const getters = ['id', 'size', 'actualSize', 'address', 'alignment', 'label', 'allocatedTimestamp', 'freed', 'freedTimestamp'];
  for (const self of forged) {
    const about = `of ${typeof self}`;
    for (const [name, ...args] of [...CALLS, ['isValid'], ['getAgeMs'], ['toString'], ['free']]) {
      const method = methods(MemoryBlock.prototype)[name as string] as () => unknown;
      refuses(t, () => Reflect.apply(method, self, args), TYPE, `${name} ${about}`);
    }
    for (const name of getters) refuses(t, () => Reflect.get(MemoryBlock.prototype, name, self), TYPE, `${name} ${about}`);
    refuses(t, () => Reflect.apply(MemoryBlock.prototype[Symbol.dispose], self, []), TYPE, `dispose ${about}`);
    await t.throwsAsync(async () => Reflect.apply(MemoryBlock.prototype.lease, self, [() => 1]), { instanceOf: TypeError, code: TYPE }, `lease ${about}`);
    await t.throwsAsync(Reflect.apply(MemoryBlock.prototype.waitAsync, self, [0, 0]), { instanceOf: TypeError, code: TYPE }, `waitAsync ${about}`);
    for (const act of [Manager.freeMemory, Manager.zeroMemory, Manager.createDirectByteBuffer]) refuses(t, () => act(self as MemoryBlock), TYPE, about);
    refuses(t, () => Manager.reallocateMemory(self as MemoryBlock, 8), TYPE, about);
  }
  t.true(real.isValid());
});

test.serial('only the library makes blocks', (t) => {
  const Constructor = MemoryBlock as unknown as new (...args: unknown[]) => object;
  refuses(t, () => new Constructor(), TYPE);
  refuses(t, () => new Constructor(Symbol('offheap.handle'), 0, 1, 64), TYPE);
  refuses(t, () => new (class extends Constructor {})(1, 2, 3, 4), TYPE);
  t.is(structuredClone(Manager.allocateMemory(8)) instanceof MemoryBlock, false);
});
