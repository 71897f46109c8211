// What the workers of a crew do with ours. A case keeps some memory alive all the time, as programs do, and counts what it does: the
// statistics must say the same, of all workers together where they tell of the process.
import { AdvancedMemoryAllocator, DirectMemoryManager, MemoryPool } from 'offheap';
import { times } from './_checks.mjs';
import { ARENA_ROUND, GRANTS_ALIVE, ORDER_MASK, grantOrder } from './_scenarios.mjs';

const KEPT = 3;

const many = (count, make) => Array.from({ length: count }, () => make());
const views = (grants) => grants.map((memory) => memory.bytes());

/** The stamps' face of a block that gets no view: what was viewed goes another way when it is freed. */
const faces = (blocks, size) => blocks.map((block) => ({
  fill: (value) => block.fill(value),
  every: (test) => [0, 1, size - 1].every((at) => test(block.getUint8(at))),
}));

/** What an allocator's statistics say; of the types here only an object pool counts what it granted. */
function allocatorFigures(allocator) {
  const { allocatorType, allocatedBlocks, requestedSize, hits, misses } = allocator.getStats();
  return { live: allocatedBlocks, bytes: requestedSize, granted: allocatorType === 'pool' ? hits + misses : undefined };
}

// === Allocators: `name` is the crew's, or the worker's own while it works alone ===

function lifo(type, size, total, name) {
  const allocator = AdvancedMemoryAllocator.getInstance(name, type, total);
  const kept = many(KEPT, () => allocator.allocate(size));
  const own = { size, live: KEPT, granted: KEPT };
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const memory = allocator.allocate(size);
      sum += memory.size;
      allocator.free(memory);
    }
    own.granted += n;
    return sum;
  };
  const give = () => kept.forEach((memory) => allocator.free(memory));
  return { loop, expected: times(size), own, kept: () => views(kept), give, figures: () => allocatorFigures(allocator), dispose: () => allocator.close() };
}

function alive(type, size, total, name) {
  const allocator = AdvancedMemoryAllocator.getInstance(name, type, total);
  const kept = many(GRANTS_ALIVE, () => allocator.allocate(size));
  const own = { size, live: GRANTS_ALIVE, granted: GRANTS_ALIVE };
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const at = grantOrder[i & ORDER_MASK];
      allocator.free(kept[at]);
      const memory = allocator.allocate(size);
      kept[at] = memory;
      sum += memory.size;
    }
    own.granted += n;
    return sum;
  };
  const give = () => kept.forEach((memory) => allocator.free(memory));
  return { loop, expected: times(size), own, kept: () => views(kept), give, figures: () => allocatorFigures(allocator), dispose: () => allocator.close() };
}

/** Frees nothing: `begin` ends all with one reset, by one of the workers, between two windows. So what it counts is what is live. */
function arena(size, total, name) {
  const allocator = AdvancedMemoryAllocator.getInstance(name, 'arena', total);
  const handles = many(ARENA_ROUND, () => undefined);
  const own = { size, live: 0, granted: undefined };
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += ARENA_ROUND) {
      for (let at = 0; at < ARENA_ROUND; at += 1) {
        const memory = allocator.allocate(size);
        handles[at] = memory;
        sum += memory.size;
      }
    }
    own.live += n;
    return sum;
  };
  const begin = (isFirst) => {
    if (isFirst) allocator.reset();
    own.live = 0;
  };
  const kept = () => {
    own.live += ARENA_ROUND;
    return views(many(ARENA_ROUND, () => allocator.allocate(size)));
  };
  return { loop, expected: times(size), own, begin, kept, figures: () => allocatorFigures(allocator), dispose: () => allocator.close() };
}

// === Blocks: statistics of the manager are the process's, of a pool its worker's ===

function memoryBlock(size) {
  const kept = many(KEPT, () => DirectMemoryManager.allocateMemory(size));
  const own = { size, live: KEPT, granted: KEPT };
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const memory = DirectMemoryManager.allocateMemory(size);
      sum += memory.size;
      DirectMemoryManager.freeMemory(memory);
    }
    own.granted += n;
    return sum;
  };
  const figures = () => {
    const { activeBlocks, currentAllocated, totalAllocated } = DirectMemoryManager.getMemoryStats();
    return { live: activeBlocks, bytes: currentAllocated, granted: totalAllocated / size };
  };
  return { loop, expected: times(size), own, kept: () => faces(kept, size), give: () => kept.forEach((memory) => memory.free()), figures };
}

function memoryPool(size) {
  const pool = new MemoryPool(size);
  const kept = many(KEPT, () => pool.acquire());
  const own = { size, live: KEPT, granted: KEPT };
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const memory = pool.acquire();
      sum += memory.size;
      pool.release(memory);
    }
    own.granted += n;
    return sum;
  };
  const figures = () => {
    const { inUse, hits, misses } = pool.getStats();
    return { live: inUse, bytes: inUse * size, granted: hits + misses, ofOneWorker: true };
  };
  const give = () => kept.forEach((memory) => pool.release(memory));
  return { loop, expected: times(size), own, kept: () => faces(kept, size), give, figures, dispose: () => pool.close() };
}

// === The machine ===

/** Nothing that two threads could share: what is missing to 2 here the machine's other work has, or its two CPUs are one. */
function countOdd(n) {
  let sum = 0;
  for (let i = 0; i < n; i += 1) sum += i & 1;
  return sum;
}

const arithmetic = () => ({ loop: countOdd, expected: (n) => n / 2 });

export const ourCases = { lifo, alive, arena, memoryBlock, memoryPool, arithmetic };
