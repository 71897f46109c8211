// Pairs of memory that reads 0: ours, C's calloc, and Node's.
import { Buffer } from 'node:buffer';
import { DirectMemoryManager } from 'offheap';
import { expectSame, times } from './_checks.mjs';
import { expectBalanced } from './_pairs.mjs';
import { libc } from './_peers.mjs';

const ZEROED = { zeroed: true };

const expectZeros = (bytes, size) => {
  expectSame(bytes.length, size, 'length');
  expectSame(bytes.findIndex((byte) => byte !== 0), -1, 'where a byte is not 0');
};

export function oursZeroed(size) {
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const block = DirectMemoryManager.allocateMemory(size, 'word', ZEROED);
      sum += block.size;
      DirectMemoryManager.freeMemory(block);
    }
    return sum;
  };
  const check = () => {
    expectBalanced(loop, 100, size);
    DirectMemoryManager.allocateMemory(size).fill(0xff).free(); // which the next one has to clear
    const block = DirectMemoryManager.allocateMemory(size, 'word', ZEROED);
    expectZeros(block.copyOut(), size);
    block.free();
  };
  return { loop, check, expected: times(size), after: () => expectBalanced(loop, 100, size) };
}

/** C's calloc and free through koffi. */
export function koffiZeroed(size) {
  const { calloc, malloc, memset, free, view } = libc();
  const loop = (n) => {
    for (let i = 0; i < n; i += 1) free(calloc(1, size));
    return n;
  };
  const check = () => {
    const dirty = malloc(size);
    memset(dirty, 0xff, size);
    free(dirty);
    const pointer = calloc(1, size);
    expectZeros(view(pointer, size), size);
    free(pointer);
  };
  return { loop, check, expected: times(1) };
}

export function bufferZeroed(size) {
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += Buffer.alloc(size).length;
    return sum;
  };
  return { loop, check: () => expectZeros(Buffer.alloc(size), size), expected: times(size) };
}
