// Allocate + free, without a view. A peer of the garbage collector is dropped instead of freed.
import { Buffer } from 'node:buffer';
import { DirectMemoryManager } from 'offheap';
import { directIoAligned, koffiAligned, oursAligned, sodiumSecure } from './_aligned-pairs.mjs';
import { expectSame, times } from './_checks.mjs';
import { allocateMany, expectApart, expectBalanced, expectWritable } from './_pairs.mjs';
import { libc, mallocPairs, mallocReplacing } from './_peers.mjs';
import { ALIVE, KIB, MIB, ORDER_MASK, order, sizeText } from './_scenarios.mjs';

export const group = 'alloc';
/** Each row in processes of its own: what V8 has learned from one says nothing about another. */
export const apart = true;

/** Up to 32 KiB no native call is made. */
const target = (size, small) => ({ written: size <= 32 * KIB ? small : 100, scaled: true });

const plainRows = [64, KIB, 64 * KIB, MIB].flatMap((size) => [
  {
    operation: `pair ${sizeText(size)}, LIFO`,
    unit: 'ns',
    inQuick: size !== KIB,
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
    inQuick: size !== KIB,
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

const alignedRows = [4 * KIB, 64 * KIB, MIB].map((size) => ({
  operation: `pair ${sizeText(size)} from a page's start on, LIFO`,
  unit: 'ns',
  inQuick: size === 64 * KIB,
  target: null,
  cases: {
    'ours': () => oursAligned(size),
    'koffi aligned_alloc/free': () => koffiAligned(size),
    '@ronomon/direct-io (zeroed, not freed)': () => directIoAligned(size),
    'sodium-native (guarded, locked)': () => sodiumSecure(size),
  },
}));

export const rows = [...plainRows, ...alignedRows];

// === Ours ===

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
