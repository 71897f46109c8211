// Allocate + free, without a view. A peer of the garbage collector is dropped instead of freed.
import { Buffer } from 'node:buffer';
import { DirectMemoryManager } from 'offheap';
import { expect, expectSame, times } from './_checks.mjs';
import { libc, mallocPairs, mallocReplacing } from './_peers.mjs';
import { ALIVE, KIB, MIB, ORDER_MASK, order, sizeText } from './_scenarios.mjs';

export const group = 'alloc';
/** Each row in processes of its own: what V8 has learned from one says nothing about another. */
export const apart = true;

/** Up to 32 KiB no native call is made. */
const target = (size, small) => ({ written: size <= 32 * KIB ? small : 100, scaled: true });

export const rows = [64, KIB, 64 * KIB, MIB].flatMap((size) => [
  {
    operation: `pair ${sizeText(size)}, LIFO`,
    unit: 'ns',
    target: target(size, 12),
    cases: {
      'ours': () => oursLifo(size),
      'koffi malloc/free': () => koffiLifo(size),
      'Buffer.allocUnsafeSlow': () => unsafeLifo(size),
      'Buffer.alloc': () => zeroedLifo(size),
      'new ArrayBuffer': () => arrayBufferLifo(size),
    },
  },
  {
    operation: `pair ${sizeText(size)}, ${ALIVE} alive, replaced in random order`,
    unit: 'ns',
    target: target(size, 30),
    cases: {
      'ours': () => oursAlive(size),
      'koffi malloc/free': () => koffiAlive(size),
      'Buffer.allocUnsafeSlow': () => unsafeAlive(size),
      'Buffer.alloc': () => zeroedAlive(size),
      'new ArrayBuffer': () => arrayBufferAlive(size),
    },
  },
]);

// === Ours ===

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

function oursLifo(size) {
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const block = DirectMemoryManager.allocateMemory(size);
      sum += block.size;
      DirectMemoryManager.freeMemory(block);
    }
    return sum;
  };
  const check = () => {
    expectBalanced(loop, 100, size);
    const blocks = allocateMany(size, 3);
    expectApart(blocks, size);
    for (const block of blocks) block.free();
  };
  return { loop, check, expected: times(size), after: () => expectBalanced(loop, 100, size) };
}

function oursAlive(size) {
  const blocks = allocateMany(size);
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const at = order[i & ORDER_MASK];
      DirectMemoryManager.freeMemory(blocks[at]);
      const block = DirectMemoryManager.allocateMemory(size);
      blocks[at] = block;
      sum += block.size;
    }
    return sum;
  };
  const check = () => {
    expectBalanced(loop, 1000, size);
    expectApart(blocks, size);
  };
  const dispose = () => {
    for (const block of blocks) block.free();
  };
  return { loop, check, expected: times(size), after: () => expectBalanced(loop, 1000, size), dispose };
}

// === koffi: C's malloc and free ===

function expectOwnMemory(pointers, size) {
  const { view } = libc();
  expectSame(new Set(pointers).size, pointers.length, 'different pointers');
  pointers.forEach((pointer, index) => view(pointer, size).fill(index & 255));
  pointers.forEach((pointer, index) => expectSame(view(pointer, size)[size - 1], index & 255, `last byte of memory ${index}`));
}

function koffiLifo(size) {
  const { malloc, free } = libc();
  const loop = mallocPairs(size);
  const check = () => {
    const pointers = [malloc(size), malloc(size)];
    expectOwnMemory(pointers, size);
    pointers.forEach((pointer) => free(pointer));
  };
  return { loop, check, expected: times(1) };
}

function koffiAlive(size) {
  const { malloc, free } = libc();
  const pointers = Array.from({ length: ALIVE }, () => malloc(size));
  const loop = mallocReplacing(pointers, size, order, ORDER_MASK);
  return { loop, check: () => expectOwnMemory(pointers, size), expected: times(1), dispose: () => pointers.forEach((pointer) => free(pointer)) };
}

// === The garbage collector's: a function literal for each, so that none is slowed by what another taught the compiler ===

/** Writes to each page, so all are there. */
function expectWritable(bytes, size) {
  expectSame(bytes.length, size, 'length');
  for (let at = 0; at < size; at += 4096) bytes[at] = 7;
  bytes[size - 1] = 9;
  expectSame(bytes[size - 1], 9, 'last byte');
}

function unsafeLifo(size) {
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += Buffer.allocUnsafeSlow(size).length;
    return sum;
  };
  return { loop, check: () => expectWritable(Buffer.allocUnsafeSlow(size), size), expected: times(size) };
}

function zeroedLifo(size) {
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += Buffer.alloc(size).length;
    return sum;
  };
  return { loop, check: () => expectWritable(Buffer.alloc(size), size), expected: times(size) };
}

function arrayBufferLifo(size) {
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += new ArrayBuffer(size).byteLength;
    return sum;
  };
  return { loop, check: () => expectWritable(new Uint8Array(new ArrayBuffer(size)), size), expected: times(size) };
}

function unsafeAlive(size) {
  const alive = Array.from({ length: ALIVE }, () => Buffer.allocUnsafeSlow(size));
  const loop = (n) => {
    for (let i = 0; i < n; i += 1) alive[order[i & ORDER_MASK]] = Buffer.allocUnsafeSlow(size);
    return n;
  };
  return { loop, check: () => alive.forEach((bytes) => expectWritable(bytes, size)), expected: times(1) };
}

function zeroedAlive(size) {
  const alive = Array.from({ length: ALIVE }, () => Buffer.alloc(size));
  const loop = (n) => {
    for (let i = 0; i < n; i += 1) alive[order[i & ORDER_MASK]] = Buffer.alloc(size);
    return n;
  };
  return { loop, check: () => alive.forEach((bytes) => expectWritable(bytes, size)), expected: times(1) };
}

function arrayBufferAlive(size) {
  const alive = Array.from({ length: ALIVE }, () => new ArrayBuffer(size));
  const loop = (n) => {
    for (let i = 0; i < n; i += 1) alive[order[i & ORDER_MASK]] = new ArrayBuffer(size);
    return n;
  };
  return { loop, check: () => alive.forEach((buffer) => expectWritable(new Uint8Array(buffer), size)), expected: times(1) };
}
