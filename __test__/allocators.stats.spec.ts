// What allocators tell of themselves, for all six types:
// - after every step the figures are those of a plain count; largestFree really allocates; percentages lie in 0 … 100
// - memory in use is rows of getAllocatedBlocks and findPotentialLeaks; an arena and a ring are one row each
// - MemoryStats lists the allocators, and counts none of their memory as blocks; the limit is charged at getInstance, released at close
// - every snapshot is fresh and frozen, and readable as text, in util.inspect and as JSON
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { threadId } from 'node:worker_threads';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { AdvancedMemoryAllocator, AllocatedMemory, DirectMemoryManager as Manager } from '../index.js';
import type { AllocatorType } from '../index.js';
import { KIB, MIB, TYPES, closeAfterEach, keep, open, refuses } from './_allocators.js';

closeAfterEach();

const isOneRow = (type: AllocatorType): boolean => type === 'arena' || type === 'ring';
const total = (list: readonly AllocatedMemory[], field: 'size' | 'allocatedSize'): number => list.reduce((sum, memory) => sum + memory[field], 0);

/** The part of a slab's free bytes that lies in spans of 64 KiB in which something is live. */
function outsideEmptySpans({ totalSize }: AdvancedMemoryAllocator, { freeSize }: { readonly freeSize: number }, live: readonly AllocatedMemory[]): number {
  const used = new Set(live.map(({ offset }) => Math.floor(offset / (64 * KIB)))).size;
  return (100 * (freeSize - (totalSize - used * 64 * KIB))) / freeSize;
}

/** To a tenth of a percent. */
const external = (allocator: AdvancedMemoryAllocator): number => Math.round(10 * allocator.getStats().fragmentationPercent.external) / 10;

function checkFigures(t: ExecutionContext, allocator: AdvancedMemoryAllocator, live: readonly AllocatedMemory[]): void {
  const stats = allocator.getStats();
  const { internal, external: scattered } = stats.fragmentationPercent;
  t.deepEqual([stats.name, stats.allocatorType, stats.totalSize], [allocator.name, allocator.type, allocator.totalSize]);
  t.deepEqual([stats.requestedSize, stats.allocatedBlocks], [total(live, 'size'), live.length]);
  t.is(stats.allocatedSize + stats.freeSize, stats.totalSize);
  t.true(stats.largestFree <= stats.freeSize);
  t.is(stats.utilizationPercent, (100 * stats.allocatedSize) / stats.totalSize);
  t.is(internal, stats.allocatedSize === 0 ? 0 : (100 * (stats.allocatedSize - stats.requestedSize)) / stats.allocatedSize);
  if (live.length === 0) t.is(scattered, 0, 'nothing is in the way');
  else if (allocator.type === 'slab') t.is(scattered, outsideEmptySpans(allocator, stats, live));
  else if (['buddy', 'arena', 'ring'].includes(allocator.type)) t.is(scattered, stats.freeSize === 0 ? 0 : (100 * (stats.freeSize - stats.largestFree)) / stats.freeSize);
  for (const percent of [internal, scattered, stats.utilizationPercent]) t.true(percent >= 0 && percent <= 100, `${percent}`);
  t.deepEqual(Manager.getMemoryStats().byAllocator.find(({ name }) => name === allocator.name), stats);
  if (isOneRow(allocator.type)) t.true(stats.allocatedSize >= total(live, 'allocatedSize'));
}

for (const type of TYPES) {
  test.serial(`${type}: the figures are exact after every step`, (t) => {
    const allocator = open(type, 2 * MIB);
    const live: AllocatedMemory[] = [];
    checkFigures(t, allocator, live);
    for (let step = 0; step < 150; step += 1) {
      if (step % 3 === 2) live.splice((step * 7) % live.length, 1)[0]?.free();
      else live.push(allocator.allocate([1, 40, 64, 700, 5000, 16_000][step % 6] as number));
      checkFigures(t, allocator, live);
    }
    for (const memory of live.splice(0)) memory.free();
    checkFigures(t, allocator, live);
    if (type !== 'arena') t.is(allocator.getStats().allocatedSize, 0);
    allocator.reset();
    checkFigures(t, allocator, live);
  });

  test.serial(`${type}: a request of largestFree succeeds, from the first to the last`, (t) => {
    const allocator = open(type, MIB + 5000, 'none');
    const some = Array.from({ length: 200 }, (_, index) => allocator.tryAllocate(100 + (index % 7) * 500));
    for (const memory of some.filter((_, index) => index % 2 === 0)) memory?.free();
    for (let count = 0; count < 300; count += 1) {
      const { largestFree } = allocator.getStats();
      if (largestFree === 0) break;
      t.is(allocator.allocate(largestFree).size, largestFree);
    }
    t.true(allocator.getStats().largestFree < 64 * KIB);
  });

  test.serial(`${type}: memory in use is ${isOneRow(type) ? 'one row' : 'a row each'}, with its owner's name`, async (t) => {
    const allocator = open(type, MIB, 64);
    t.deepEqual(Manager.getAllocatedBlocks(), []);
    const list = [allocator.allocate(100, 'first'), allocator.allocate(200), allocator.allocate(300)];
    const pin = list[0]?.pin();
    const rows = Manager.getAllocatedBlocks();
    for (const row of rows) {
      t.deepEqual([row.kind, row.owner, row.threadId, row.escaped, row.alignment], ['allocator', allocator.name, threadId, false, 64]);
      t.true(row.actualSize >= row.size && row.ageMs >= 0 && Number.isSafeInteger(row.id));
    }
    if (isOneRow(type)) t.deepEqual(rows.map(({ size, pinned }) => [size, pinned]), [[600, true]]);
    else {
      const byId = new Map(rows.map((row) => [row.id, row]));
      t.is(byId.size, 3);
      for (const [index, memory] of list.entries()) {
        const row = byId.get(memory.id);
        t.deepEqual([row?.size, row?.actualSize, row?.address, row?.label, row?.pinned], [memory.size, memory.allocatedSize, memory.address, memory.label, index === 0]);
      }
    }
    pin?.[Symbol.dispose]();
    t.is(Manager.findPotentialLeaks(60_000).length, 0);
    await sleep(60);
    t.is(Manager.findPotentialLeaks(30).length, rows.length);
    t.true((list[0]?.getAgeMs() as number) >= 30);
    allocator.allocate(8);
    t.is(Manager.findPotentialLeaks(30).length, rows.length);
    for (const memory of list) memory.free();
    if (!isOneRow(type)) t.deepEqual(Manager.getAllocatedBlocks().map(({ size }) => size), [8]);
    else t.deepEqual(Manager.getAllocatedBlocks().map(({ size }) => size), [8], 'what is live');
    allocator.reset();
    t.deepEqual(Manager.getAllocatedBlocks(), []);
  });

  test.serial(`${type}: the region counts against the limit from getInstance to close`, (t) => {
    const { currentAllocated } = Manager.getMemoryStats();
    Manager.setLimit(currentAllocated + 3 * MIB);
    try {
      const allocator = open(type, 2 * MIB);
      const error = refuses(t, () => AdvancedMemoryAllocator.getInstance('too much', type, MIB + 1), 'ERR_OFFHEAP_LIMIT');
      t.deepEqual([error.requested, error.available], [MIB + 1, MIB]);
      refuses(t, () => Manager.allocateMemory(MIB + 1), 'ERR_OFFHEAP_LIMIT');
      t.is(keep(AdvancedMemoryAllocator.getInstance(allocator.name, type, 2 * MIB)), allocator, 'charged once');
      const memory = allocator.allocate(8 * KIB);
      Manager.allocateMemory(MIB - 4096).free();
      memory.free();
      allocator.reset();
      refuses(t, () => Manager.allocateMemory(MIB + 1), 'ERR_OFFHEAP_LIMIT');
      allocator.close();
      Manager.allocateMemory(2 * MIB).free();
      t.notThrows(() => open(type, 3 * MIB));
      Manager.setLimit(0);
      refuses(t, () => AdvancedMemoryAllocator.getInstance('too much', type, 4096), 'ERR_OFFHEAP_LIMIT');
    } finally {
      Manager.setLimit(null);
    }
  });

  test.serial(`${type}: allocators and memory are readable as text`, (t) => {
    const allocator = open(type, 16 * MIB);
    const memory = allocator.allocate(64);
    t.is(String(allocator), `AdvancedMemoryAllocator['${allocator.name}', ${type}, 16 MiB]`);
    t.is(inspect(allocator), String(allocator));
    t.is(String(memory), `AllocatedMemory[id=${memory.id}, addr=0x${memory.address.toString(16)}, size=64, offset=${memory.offset}, allocator='${allocator.name}', valid=true]`);
    t.is(inspect({ memory }), `{\n  memory: ${String(memory)}\n}`);
    t.notThrows(() => [inspect(AdvancedMemoryAllocator.prototype), inspect(AllocatedMemory.prototype), inspect(Object.create(allocator)), inspect(Object.create(memory))]);
    const stats = allocator.getStats();
    t.regex(String(stats), new RegExp(`^AllocatorStats\\[name='${allocator.name}', allocatorType='${type}', totalSize=16 MiB, .*requestedSize=64 B.*utilizationPercent=0%, fragmentationPercent=\\[internal=.*%, external=.*%\\]\\]$`));
    t.regex(inspect(stats), /^AllocatorStats \{[^]*totalSize: 16777216 \(16 MiB\)/);
    t.deepEqual(JSON.parse(JSON.stringify(stats)), { ...stats, fragmentationPercent: { ...stats.fragmentationPercent } });
    t.true(Object.isFrozen(stats) && Object.isFrozen(stats.fragmentationPercent) && Object.isFrozen(Manager.getMemoryStats().byAllocator));
    t.not(allocator.getStats(), stats);
  });
}

test.serial('regions count as committed, and no allocated memory as blocks', (t) => {
  const before = Manager.getMemoryStats();
  const allocator = open('hybrid', 8 * MIB);
  const memory = allocator.allocate(MIB);
  const stats = Manager.getMemoryStats();
  for (const field of ['totalAllocated', 'totalFreed', 'currentAllocated', 'peakAllocated', 'activeBlocks', 'averageBlockSize', 'minBlockSize', 'maxBlockSize', 'escaped', 'collected'] as const) {
    t.is(stats[field], before[field], field);
  }
  t.true(stats.committed >= before.committed + MIB, `${stats.committed} ${before.committed}`);
  t.true(stats.nextBlockId > memory.id);
  t.is(stats.byAllocator.length, 1);
});

test.serial('byAllocator lists all that are open, and rows of blocks and allocators stand side by side', (t) => {
  const all = TYPES.map((type) => open(type));
  const block = Manager.allocateMemory(777);
  for (const allocator of all) allocator.allocate(100);
  t.deepEqual(Manager.getMemoryStats().byAllocator.map(({ allocatorType }) => allocatorType), [...TYPES]);
  const rows = Manager.getAllocatedBlocks();
  t.deepEqual(rows.map(({ owner }) => owner).toSorted(), ['DirectMemoryManager', ...all.map(({ name }) => name)].toSorted());
  t.is(new Set(rows.map(({ id }) => id)).size, 7);
  t.is(rows.find(({ kind }) => kind === 'block')?.id, block.id);
  all[0]?.close();
  t.is(Manager.getMemoryStats().byAllocator.length, 5);
  t.is(Manager.getAllocatedBlocks().length, 6);
});

test.serial('external fragmentation is 0 while nothing is in use, whatever the type and the total, and tells how much of what is free is of no use to others', (t) => {
  for (const type of TYPES) {
    for (const size of [MIB, 3 * MIB, 5 * MIB + 12_344]) {
      const allocator = open(type, size);
      t.is(external(allocator), 0, `${type} ${size}`);
      for (const memory of [1, 2, 3].map((step) => allocator.allocate(step * 1000))) memory.free();
      if (type !== 'arena') t.is(external(allocator), 0, `${type} ${size}, all free again`);
      allocator.close();
    }
  }
  const slab = open('slab');
  const objects = Array.from({ length: 1024 }, () => slab.allocate(64)); // one span
  t.is(external(slab), 0, 'a full span and fifteen empty ones');
  for (const memory of objects.slice(1)) memory.free();
  t.is(external(slab), 6.2, 'one object in sixteen spans');
  const others = Array.from({ length: 15 * 4 }, () => slab.allocate(16 * KIB));
  for (const memory of others.filter((_, index) => index % 4 > 0)) memory.free();
  t.is(external(slab), 100, 'one in each');
  const hybrid = open('hybrid', 8 * MIB);
  const ranges = Array.from({ length: 4 }, () => hybrid.allocate(2 * MIB));
  for (const memory of [ranges[0], ranges[2]]) memory?.free();
  t.is(external(hybrid), 50);
});
