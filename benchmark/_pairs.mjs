// What pairs of allocate and free must have done, whoever made them.
import { DirectMemoryManager } from 'offheap';
import { expect, expectSame } from './_checks.mjs';
import { ALIVE } from './_scenarios.mjs';

/** The totals that a case must leave as they were, and what it must have added to them. */
export function totals() {
  const { totalAllocated, activeBlocks, currentAllocated } = DirectMemoryManager.getMemoryStats();
  return { totalAllocated, activeBlocks, currentAllocated };
}

/** Runs a loop that allocates `count` blocks and leaves none of them: the statistics must say the same. */
export function expectBalanced(loop, count, size) {
  const before = totals();
  loop(count);
  const after = totals();
  expectSame(after.totalAllocated - before.totalAllocated, count * size, 'bytes allocated in all');
  expectSame(after.activeBlocks, before.activeBlocks, 'live blocks afterwards');
  expectSame(after.currentAllocated, before.currentAllocated, 'live bytes afterwards');
}

/** Blocks that are live at one time must be apart, and hold what is written. Writes all of them, so their pages are touched. */
export function expectApart(blocks, size) {
  const sorted = blocks.toSorted((a, b) => (a.address < b.address ? -1 : 1));
  for (let i = 1; i < sorted.length; i += 1) {
    expect(sorted[i].address - sorted[i - 1].address >= BigInt(size), `blocks ${sorted[i - 1].id} and ${sorted[i].id} overlap`);
  }
  blocks.forEach((block, index) => block.fill(index & 255));
  blocks.forEach((block, index) => {
    expectSame(block.getUint8(0), index & 255, `first byte of block ${index}`);
    expectSame(block.getUint8(size - 1), index & 255, `last byte of block ${index}`);
  });
}

export function allocateMany(size, count = ALIVE) {
  return Array.from({ length: count }, () => DirectMemoryManager.allocateMemory(size));
}

/** Writes to each page, so all are there. */
export function expectWritable(bytes, size) {
  expectSame(bytes.length, size, 'length');
  for (let at = 0; at < size; at += 4096) bytes[at] = 7;
  bytes[size - 1] = 9;
  expectSame(bytes[size - 1], 9, 'last byte');
}
