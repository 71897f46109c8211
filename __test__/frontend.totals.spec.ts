// What the totals and clocks say of memory that JavaScript hands out by itself. Without the front-end all of it holds the same: sums beyond
// 2^31 are exact, no total jumps while another thread counts, nothing is freed before it was born.
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { DirectMemoryManager as Manager, MemoryPool } from '../index.js';
import type { AllocatedMemory } from '../index.js';
import { GIB, KIB, MIB, TYPES, closeAfterEach, open, refuses } from './_allocators.js';
import { endAfterEach, start } from './_peer.js';
import type { Given } from './_peer.js';

endAfterEach();
closeAfterEach();

test.serial('the sums of several pools with large blocks are exact', (t) => {
  const size = 16 * MIB;
  const pools = Array.from({ length: 3 }, () => new MemoryPool(size, undefined, 64, { zeroOnRelease: false })); // nothing is touched
  const before = Manager.getMemoryStats();
  for (const round of [1, 2]) {
    const blocks = pools.map((pool) => Array.from({ length: 64 }, () => pool.acquire()));
    const held = Manager.getMemoryStats();
    t.deepEqual([held.currentAllocated - before.currentAllocated, held.activeBlocks - before.activeBlocks], [3 * GIB, 192]);
    t.is(held.totalAllocated - before.totalAllocated, round * 3 * GIB);
    t.is(held.peakAllocated, Math.max(before.peakAllocated, before.currentAllocated + 3 * GIB));
    Manager.setLimit(held.currentAllocated + 1000);
    t.like(refuses(t, () => Manager.allocateMemory(2000), 'ERR_OFFHEAP_LIMIT'), { requested: 2000, available: 1000 });
    Manager.setLimit(null);
    blocks.forEach((list, index) => list.forEach((block) => pools[index]?.release(block)));
    const after = Manager.getMemoryStats();
    t.deepEqual([after.currentAllocated, after.activeBlocks], [before.currentAllocated, before.activeBlocks]);
    t.is(after.totalFreed - before.totalFreed, round * 3 * GIB);
  }
  Manager.setLimit(before.currentAllocated + MIB);
  t.notThrows(() => Manager.allocateMemory(1000).free());
  Manager.setLimit(null);
  for (const pool of pools) pool.close();
});

test.serial('the requested bytes of a slab are exact beyond 2^31', (t) => {
  const size = 16 * KIB;
  const allocator = open('slab', 2.25 * GIB);
  const memories = Array.from({ length: 140_000 }, () => allocator.allocate(size));
  const expected = { requestedSize: 140_000 * size, allocatedBlocks: 140_000 };
  t.like(allocator.getStats(), expected);
  for (let index = 0; index < memories.length; index += 1) {
    allocator.free(memories[index] as AllocatedMemory);
    memories[index] = allocator.allocate(size);
  }
  t.like(allocator.getStats(), expected);
});

test.serial('nothing is freed before it was born', (t) => {
  using pool = new MemoryPool(64, undefined, 64);
  for (let round = 0; round < 3000; round += 1) {
    const block = pool.acquire();
    const born = block.allocatedTimestamp;
    pool.release(block);
    if (block.freedTimestamp < born) t.fail(`${born}, then ${block.freedTimestamp}`);
    if (round % 2 === 0) pool.clear(); // the next one is new: its birth is a native time
  }
  t.is(pool.getStats().inUse, 0);
});

for (const type of TYPES) {
  test.serial(`${type}: a thread that never used it sees what another has ready as free`, async (t) => {
    const name = `${type} of a worker`;
    const peer = await start(name, type);
    const kept = await peer.get<Given>('allocate', 1000, 1);
    const freed: Given[] = [];
    for (let count = 0; count < 10; count += 1) freed.push(await peer.get<Given>('allocate', 1000, 2));
    for (const { index } of freed) await peer.get('free', index);
    t.true(await peer.get('fits', 1000));
    const seen = Manager.getMemoryStats().byAllocator.find((stats) => stats.name === name);
    t.like(seen, { allocatedBlocks: 1, requestedSize: 1000 });
    const { allocatedSize } = await peer.get<{ allocatedSize: number }>('stats');
    t.deepEqual([seen?.allocatedSize, seen?.freeSize], [allocatedSize, MIB - allocatedSize]);
    t.is(await peer.get('read', kept.index, 999), 1);
    await peer.get('close');
  });
}

test.serial('arena: statistics take nothing of it from a thread that goes on allocating', async (t) => {
  const arena = open('arena');
  const peer = await start(arena.name, 'arena');
  for (let count = 0; count < 200; count += 1) {
    arena.allocate(16);
    await peer.get('allocate', 16, count);
    Manager.getMemoryStats();
    arena.getStats();
  }
  t.like(arena.getStats(), { allocatedBlocks: 400, requestedSize: 400 * 16 });
  t.true(arena.getStats().allocatedSize < MIB / 4, 'a piece for each of them, and what is behind');
});

/** Pools that a worker opens and closes, and bytes that are in use of one. */
const [ROUNDS, HELD] = [4000, 200 * 64];
const opening = `
  const { workerData } = require('node:worker_threads');
  import(workerData).then(({ MemoryPool }) => {
    for (let round = 0; round < ${ROUNDS}; round += 1) {
      const pool = new MemoryPool(64, undefined, 0);
      const blocks = Array.from({ length: 200 }, () => pool.acquire());
      pool.close();
      for (const block of blocks) block.free();
    }
  });
`;

test.serial('no total jumps while another thread opens and closes pools', async (t) => {
  const worker = new Worker(opening, { eval: true, execArgv: [], workerData: new URL('../dist/index.js', import.meta.url).href });
  const isOver = once(worker, 'exit').then(() => true);
  const first = Manager.getMemoryStats();
  let last = first;
  do {
    for (let look = 0; look < 1000; look += 1) {
      const now = Manager.getMemoryStats();
      for (const figure of ['totalAllocated', 'totalFreed', 'currentAllocated', 'peakAllocated'] as const) {
        // A look at another thread's sums is of no one moment: a block may be missing for an instant, but not more than are in use.
        const isFar = now[figure] < first[figure] || now[figure] - first[figure] > ROUNDS * HELD;
        if (isFar || (figure.startsWith('total') && now[figure] < last[figure] - HELD)) t.fail(`${figure} of ${last}, then ${now}`);
      }
      last = now;
    }
  } while (!(await Promise.race([isOver, turn(false)])));
  const { totalAllocated, currentAllocated } = Manager.getMemoryStats();
  t.deepEqual([totalAllocated - first.totalAllocated, currentAllocated], [ROUNDS * HELD, first.currentAllocated]);
});
