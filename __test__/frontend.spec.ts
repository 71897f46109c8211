// Properties of memory that JavaScript hands out by itself (facade/handles/front.ts), seen from outside; without the front-end they
// hold all the same:
// - no id is given twice in a hundred million allocations
// - figures are exact after every step of a random script, and the peak is the highest sum there ever was
// - a limit is exact at once, also for memory that lies ready, and lifting it brings back what was
// - a record that is spent gives its memory a fresh one
// - where the stack ends in the middle of a call no figure goes wrong, and nobody who waits for this isolate is held up
// - a dead handle tells when it was freed, a live one when it was born
// - a worker that is terminated in the middle leaves nothing
// - a worker without room in its table, or told to, makes native calls and behaves the same
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import * as fc from 'fast-check';
import { AdvancedMemoryAllocator, DirectMemoryManager, MemoryPool, OffHeapError } from '../index.js';
import type { MemoryBlock } from '../index.js';
import { BUSY } from '../facade/handles/front.js';
import { FRONT, T } from '../facade/handles/table.js';
import { CLOCK_MS, TIME, inOneOfSomeTries } from './_clock.js';

const { allocateMemory, freeMemory, getMemoryStats } = DirectMemoryManager;
const PAIRS = 100_000_000;

test.serial('no id is given twice in a hundred million allocations', (t) => {
  t.timeout(170_000);
  const last = new Float64Array(65_536);
  const live = Array.from({ length: 8 }, () => allocateMemory(64));
  let repeated = 0;
  // Without magazines a pair takes five times as long: a tenth of them must do.
  const pairs = process.env['OFFHEAP_FRONTEND'] === 'off' ? PAIRS / 10 : PAIRS;
  for (let pair = 0; pair < pairs; pair += 1) {
    freeMemory(live[pair & 7] as MemoryBlock);
    const block = allocateMemory(64);
    live[pair & 7] = block;
    const { id } = block;
    const slot = id % 16_777_216;
    if (id <= (last[slot] as number)) repeated += 1; // of one slot they only grow
    last[slot] = id;
  }
  t.is(repeated, 0);
  live.forEach(freeMemory);
});

test.serial('figures are exact after every step of a random script', (t) => {
  const step = fc.record({ frees: fc.boolean(), index: fc.nat(63), size: fc.integer({ min: 1, max: 40_000 }), views: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const live: MemoryBlock[] = [];
      const before = getMemoryStats();
      let [bytes, allocated, high] = [0, 0, 0];
      for (const { frees, index, size, views } of steps) {
        if (frees && live.length > 0) {
          const [block] = live.splice(index % live.length, 1);
          bytes -= (block as MemoryBlock).size;
          (block as MemoryBlock).free();
        } else {
          const block = allocateMemory(size);
          if (views) block.bytes()[0] = 1;
          live.push(block);
          bytes += size;
          allocated += size;
          high = Math.max(high, bytes);
        }
        const now = getMemoryStats();
        t.is(now.currentAllocated - before.currentAllocated, bytes);
        t.is(now.activeBlocks - before.activeBlocks, live.length);
        t.is(now.totalAllocated - before.totalAllocated, allocated);
        t.is(now.totalFreed - before.totalFreed, allocated - bytes);
        t.true(now.peakAllocated >= before.currentAllocated + high);
        t.true(now.peakAllocated <= Math.max(before.peakAllocated, before.currentAllocated + high));
      }
      for (const block of live) block.free();
    }),
    { numRuns: 40 },
  );
});

test.serial('the peak knows what was live between two looks', (t) => {
  const start = getMemoryStats();
  const held = Math.max(0, start.peakAllocated - start.currentAllocated);
  const rest = held > 0 ? allocateMemory(held) : undefined; // as much as ever was
  const warm = Array.from({ length: 60 }, () => allocateMemory(1000));
  warm.forEach(freeMemory);
  const { peakAllocated, currentAllocated } = getMemoryStats();
  const blocks = Array.from({ length: 10 }, () => allocateMemory(30_000));
  blocks.forEach(freeMemory);
  t.is(getMemoryStats().peakAllocated, Math.max(peakAllocated, currentAllocated + 300_000));
  rest?.free();
});

test.serial('a limit is exact at once, also for memory that lies ready', (t) => {
  const ready = Array.from({ length: 40 }, () => allocateMemory(500));
  ready.forEach(freeMemory);
  const pool = new MemoryPool(500);
  pool.release(pool.acquire());
  DirectMemoryManager.setLimit(getMemoryStats().currentAllocated + 1200);
  try {
    const [first, second] = [allocateMemory(500), pool.acquire()];
    const refused = t.throws(() => allocateMemory(500), { instanceOf: OffHeapError, code: 'ERR_OFFHEAP_LIMIT' });
    t.like(refused, { requested: 500, available: 200 });
    t.throws(() => pool.acquire(), { code: 'ERR_OFFHEAP_LIMIT' });
    first.free();
    second.free();
    t.notThrows(() => [allocateMemory(500), pool.acquire()].forEach((block) => block.free()));
  } finally {
    DirectMemoryManager.setLimit(null);
  }
  const after = Array.from({ length: 40 }, () => allocateMemory(500));
  t.is(new Set(after.map(({ id }) => id)).size, 40);
  after.forEach(freeMemory);
  pool.close();
});

test.serial('a record that is spent gives its memory a fresh one', (t) => {
  if (process.env['OFFHEAP_FRONTEND'] === 'off') {
    t.pass('the core tests it for native calls: tests/manager_model');
    return;
  }
  const block = allocateMemory(777);
  const slot = block.id % 16_777_216;
  const { address } = block;
  block.free();
  T[FRONT + slot * 4] = 536_870_908; // one life before the last
  const last = allocateMemory(777);
  t.is(last.id % 16_777_216, slot);
  last.free();
  const next = Array.from({ length: 200 }, () => allocateMemory(777));
  t.true(next.every(({ id }) => id % 16_777_216 !== slot), 'its last life is over');
  t.is(next.filter((each) => each.address === address).length, 1, 'its memory goes on');
  t.true(getMemoryStats().nextBlockId > last.id);
  next.forEach(freeMemory);
});

test.serial('births and frees have their times', inOneOfSomeTries(async (t) => {
  const before = Date.now();
  const block = allocateMemory(100);
  const early = allocateMemory(100);
  t.true(Math.abs(block.allocatedTimestamp - before) <= CLOCK_MS, `${TIME}birth`);
  await new Promise((resolve) => setTimeout(resolve, 600)); // longer than an idle clock runs on
  t.true(early.getAgeMs() >= 590 - CLOCK_MS, `${TIME}age`);
  const late = Date.now();
  block.free();
  t.true(Math.abs(block.freedTimestamp - late) <= CLOCK_MS, `${TIME}${block.freedTimestamp} ${late}`);
  t.is(block.freedTimestamp, block.freedTimestamp);
  t.is(block.allocatedTimestamp, block.allocatedTimestamp);
  t.true(DirectMemoryManager.findPotentialLeaks(500).some(({ id }) => id === early.id));
  early.free();
}));

test.serial('where the stack ends in the middle of a call no figure goes wrong, and nobody is held up', async (t) => {
  const slab = AdvancedMemoryAllocator.getInstance('where the stack ends', 'slab', 2 ** 20);
  await new Promise((resolve) => setTimeout(resolve, 100)); // until it is known whether the system lends its fence
  setFlagsFromString('--no-opt'); // inlined calls need no stack of their own
  t.teardown(() => setFlagsFromString('--opt'));
  const pool = new MemoryPool(256);
  for (let warm = 0; warm < 100; warm += 1) slab.free(slab.allocate(64));
  for (let warm = 0; warm < 20; warm += 1) pool.release(pool.acquire());
  const acts = [
    () => allocateMemory(100).free(),
    () => pool.release(pool.acquire()),
    () => slab.free(slab.allocate(64)),
  ];
  const rest = (depth: number, act: () => void): void => {
    if (depth > 0) rest(depth - 1, act);
    else act();
  };
  /** Calls itself until the stack ends, and acts on the way back at every depth. */
  const sink = (act: () => void, padding: number): void => {
    try {
      sink(act, padding);
    } catch {
      // from here on there is a little more room at each return
    }
    try {
      rest(padding, act);
    } catch {
      if (T[BUSY] !== 0) held += 1; // another isolate would wait for ever
    }
  };
  let held = 0;
  const before = getMemoryStats();
  for (const act of acts) for (let padding = 0; padding < 40; padding += 1) sink(act, padding);
  t.is(held, 0);
  const rows = DirectMemoryManager.getAllocatedBlocks().filter(({ kind }) => kind !== 'allocator');
  const after = getMemoryStats();
  t.is(after.activeBlocks, rows.length);
  t.is(after.currentAllocated, rows.reduce((sum, { size }) => sum + size, 0));
  t.true(after.totalAllocated - after.totalFreed === after.currentAllocated && after.totalFreed >= before.totalFreed);
  const { allocatedBlocks, requestedSize } = slab.getStats();
  t.is(requestedSize, 64 * allocatedBlocks);
  slab.close();
  t.is(pool.getStats().inUse, rows.filter(({ kind }) => kind === 'pool').length);
});

const busy = `
  const { workerData, parentPort } = require('node:worker_threads');
  import(workerData).then(({ DirectMemoryManager, MemoryPool }) => {
    const pool = new MemoryPool(256);
    const held = [];
    parentPort.postMessage('busy');
    for (let turn = 0; ; turn += 1) {
      const at = (turn * 7) % 300;
      held[at]?.free();
      held[at] = turn % 3 === 0 ? pool.acquire() : DirectMemoryManager.allocateMemory(1 + ((turn * 37) % 5000));
      if (turn % 1000 === 0) held[at].bytes()[0] = 1;
    }
  });
`;
const library = new URL('../dist/index.js', import.meta.url).href;

test.serial('a worker that is terminated in the middle leaves nothing', async (t) => {
  const before = getMemoryStats();
  for (let round = 0; round < 25; round += 1) {
    const worker = new Worker(busy, { eval: true, workerData: library });
    await new Promise((resolve) => worker.once('message', resolve));
    await new Promise((resolve) => setTimeout(resolve, round % 5));
    await worker.terminate();
  }
  const after = getMemoryStats();
  t.is(after.currentAllocated, before.currentAllocated);
  t.is(after.activeBlocks, before.activeBlocks);
  t.is(after.totalAllocated - after.totalFreed, after.currentAllocated);
});

const figures = `
  const { workerData, parentPort } = require('node:worker_threads');
  import(workerData).then(({ DirectMemoryManager, MemoryPool }) => {
    const pool = new MemoryPool(256);
    const blocks = Array.from({ length: 100 }, (_, index) => DirectMemoryManager.allocateMemory(1 + index));
    const ids = new Set(blocks.map(({ id }) => id));
    const one = pool.acquire();
    one.setInt32(0, 7);
    pool.release(one);
    let zero = pool.acquire().getInt32(0);
    let code;
    blocks[3].free();
    try { blocks[3].free(); } catch (error) { code = error.code; }
    const live = DirectMemoryManager.getAllocatedBlocks().filter((row) => ids.has(row.id)).length;
    parentPort.postMessage({ ids: ids.size, zero, code, live, ...pool.getStats() });
  });
`;

for (const [name, env] of [
  ['no room in its table', { OFFHEAP_TABLE: '64k' }],
  ['no front-end', { OFFHEAP_FRONTEND: 'off' }],
  ['room for few', { OFFHEAP_TABLE: String(131_072 * 4 + 16 * 2000) }],
  ['all it may have', {}],
] as const) {
  test.serial(`a worker with ${name} behaves as any other`, async (t) => {
    const worker = new Worker(figures, { eval: true, workerData: library, env: { ...process.env, ...env } });
    const seen = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    t.like(seen as object, { ids: 100, zero: 0, code: 'ERR_OFFHEAP_DOUBLE_FREE', live: 99, inUse: 1, available: 0, hits: 1, misses: 1 });
    await worker.terminate();
  });
}
