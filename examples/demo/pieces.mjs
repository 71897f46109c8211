// @ts-check
// Pieces of the file in an allocator's memory: carved, written, held against the file, freed in any order.
import { DirectMemoryManager } from 'offheap';

/** @typedef {{ memory: import('offheap').AllocatedMemory, from: number, size: number }} Piece where it is, and which bytes of the file it holds */

/**
 * Carves memory of each size and copies the next bytes of the file into it.
 * @param {import('offheap').AdvancedMemoryAllocator} allocator
 * @param {Buffer} bytes
 * @param {readonly number[]} sizes
 * @param {number} [from] where in the file
 * @returns {Piece[]}
 */
export function carve(allocator, bytes, sizes, from = 0) {
  let at = from;
  return sizes.map((size) => {
    const memory = allocator.allocate(size);
    DirectMemoryManager.copyMemory(bytes, at, memory, 0, size);
    const piece = { memory, from: at, size };
    at += size;
    return piece;
  });
}

/** Whether every piece holds its bytes of the file still. @param {readonly Piece[]} pieces @param {Buffer} bytes */
export const intact = (pieces, bytes) =>
  pieces.every(({ memory, from, size }) => DirectMemoryManager.compareMemory(memory, 0, bytes, from, size) === 0);

/** Whether no two pieces share a byte of the region. @param {readonly Piece[]} pieces */
export function apart(pieces) {
  const sorted = pieces.toSorted((a, b) => a.memory.offset - b.memory.offset);
  return sorted.every(({ memory }, index) => {
    const next = sorted[index + 1];
    return next === undefined || memory.offset + memory.allocatedSize <= next.memory.offset;
  });
}

/** @param {readonly Piece[]} pieces */
export const totalOf = (pieces) => pieces.reduce((sum, { size }) => sum + size, 0);

/** The pieces in an order that is none: every seventh place, again and again. @param {readonly Piece[]} pieces */
export function shuffled(pieces) {
  return pieces.map((piece, index) => ({ piece, key: (index * 7) % 13 })).toSorted((a, b) => a.key - b.key).map(({ piece }) => piece);
}

/** @param {import('offheap').AdvancedMemoryAllocator} allocator @param {readonly Piece[]} pieces */
export function freeAll(allocator, pieces) {
  for (const { memory } of shuffled(pieces)) allocator.free(memory);
}
