// Pairs of memory that starts at a page: ours, C's, and the packages that give such memory.
import { DirectMemoryManager } from 'offheap';
import { builtPeer } from './_built-peers.mjs';
import { expectSame, times } from './_checks.mjs';
import { libc } from './_peers.mjs';
import { expectBalanced, expectWritable } from './_pairs.mjs';

/** A page where most run this. Ours asks for the system's own, which is a multiple of it. */
const ALIGNMENT = 4096;

const isAligned = (address) => expectSame(address % BigInt(ALIGNMENT), 0n, 'what the address is beyond a page');

export function oursAligned(size) {
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const block = DirectMemoryManager.allocateMemory(size, 'page');
      sum += block.size;
      DirectMemoryManager.freeMemory(block);
    }
    return sum;
  };
  const check = () => {
    expectBalanced(loop, 100, size);
    const blocks = [0, 1].map(() => DirectMemoryManager.allocateMemory(size, 'page'));
    for (const block of blocks) isAligned(block.address);
    for (const block of blocks) expectWritable(block.bytes(), size);
    for (const block of blocks) block.free();
  };
  return { loop, check, expected: times(size), after: () => expectBalanced(loop, 100, size) };
}

/** C's aligned_alloc and free through koffi. */
export function koffiAligned(size) {
  const { alignedAlloc, address, free, view } = libc();
  if (alignedAlloc === undefined) throw new Error('this C library has no aligned_alloc');
  const loop = (n) => {
    for (let i = 0; i < n; i += 1) free(alignedAlloc(ALIGNMENT, size));
    return n;
  };
  const check = () => {
    const pointer = alignedAlloc(ALIGNMENT, size);
    isAligned(address(pointer));
    expectWritable(view(pointer, size), size);
    free(pointer);
  };
  return { loop, check, expected: times(1) };
}

/** A Buffer of zeros, which the collector frees. */
export function directIoAligned(size) {
  const { getAlignedBuffer } = builtPeer('@ronomon/direct-io');
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += getAlignedBuffer(size, ALIGNMENT).length;
    return sum;
  };
  return { loop, check: () => expectWritable(getAlignedBuffer(size, ALIGNMENT), size), expected: times(size) };
}

/** Locked memory between guard pages, written over before it is handed out and wiped when it goes: all of it is part of the time. */
export function sodiumSecure(size) {
  const { sodium_malloc: allocate, sodium_free: free } = builtPeer('sodium-native');
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const bytes = allocate(size);
      sum += bytes.length;
      free(bytes);
      sum += bytes.length; // 0 by then
    }
    return sum;
  };
  const check = () => {
    const bytes = allocate(size);
    expectWritable(bytes, size);
    free(bytes);
    expectSame(bytes.length, 0, 'length after the free');
  };
  return { loop, check, expected: times(size) };
}
