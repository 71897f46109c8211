// Allocate + free, without a view. A peer of the garbage collector is dropped instead of freed.
import { Buffer } from 'node:buffer';
import { DirectMemoryManager } from 'offheap';
import { directIoAligned, koffiAligned, oursAligned, sodiumSecure } from './_aligned-pairs.mjs';
import { bufferCases, koffiCases, thingCases } from './_allocator-peers.mjs';
import { expectSame, expectStamps, summed, times } from './_checks.mjs';
import { allocateMany, expectApart, expectBalanced, expectWritable, totals } from './_pairs.mjs';
import { libc, mallocPairs, mallocReplacing } from './_peers.mjs';
import { ALIVE, KIB, MIB, ORDER_MASK, PATTERN_LENGTH, order, pattern, sizeText } from './_scenarios.mjs';
import { bufferZeroed, koffiZeroed, oursZeroed } from './_zeroed-pairs.mjs';

export const group = 'alloc';
/** Each row in processes of its own: what V8 has learned from one says nothing about another. */
export const apart = true;

/** Node 20 has none: there an ArrayBuffer is only dropped. */
const TRANSFERS = typeof ArrayBuffer.prototype.transfer === 'function';
/** Up to 32 KiB no native call is made. */
const target = (size, small) => ({ written: size <= 32 * KIB ? small : 100, scaled: true });

/** The sizes of classes, and what is one byte more and takes the next class: 1,280 B, and of more than 32 KiB a run of pages. */
const SIZES = [
  { size: 64 },
  { size: KIB },
  { size: KIB + 1, name: '1 KiB + 1 B (a class edge + 1)' },
  { size: 32 * KIB, name: '32 KiB (the last small class edge)' },
  { size: 32 * KIB + 1, name: '32 KiB + 1 B (that edge + 1)' },
  { size: 64 * KIB },
  { size: MIB },
];
const IN_QUICK = [64, 64 * KIB, MIB];

const plainRows = SIZES.flatMap(({ size, name = sizeText(size) }) => [
  {
    operation: `pair ${name}, LIFO`,
    unit: 'ns',
    inQuick: IN_QUICK.includes(size),
    target: target(size, 12),
    cases: {
      'ours': () => oursLifo(size),
      'koffi malloc/free': () => koffiLifo(size),
      'Buffer.allocUnsafeSlow': () => unsafeLifo(size),
      'Buffer.alloc': () => zeroedLifo(size),
      'new ArrayBuffer': () => arrayBufferLifo(size),
      ...(TRANSFERS && { 'new ArrayBuffer + transfer(0)': () => transferLifo(size) }),
    },
  },
  {
    operation: `pair ${name}, ${ALIVE} alive, replaced in random order`,
    unit: 'ns',
    inQuick: IN_QUICK.includes(size),
    target: target(size, 30),
    cases: {
      'ours': () => oursAlive(size),
      'koffi malloc/free': () => koffiAlive(size),
      'Buffer.allocUnsafeSlow': () => unsafeAlive(size),
      'Buffer.alloc': () => zeroedAlive(size),
      'new ArrayBuffer': () => arrayBufferAlive(size),
      ...(TRANSFERS && { 'new ArrayBuffer + transfer(0)': () => transferAlive(size) }),
    },
  },
]);

/** As the rows of the hybrid allocator in `allocators`. */
const mixedRows = ['web', 'log'].map((name) => ({
  operation: `blocks of '${name}' sizes, ${ALIVE} alive, replaced in random order`,
  unit: 'ns',
  step: PATTERN_LENGTH,
  inQuick: name === 'web',
  target: null,
  cases: {
    'ours': () => oursMixed(name),
    'koffi malloc/free': () => koffiCases.mixed(name),
    '@thi.ng/malloc': () => thingCases.mixed(name, 16 * MIB),
    'Buffer.allocUnsafe': () => bufferCases.mixed(name),
  },
}));

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

const zeroedRows = [64, 4 * KIB].map((size) => ({
  operation: `pair ${sizeText(size)}, zeroed, LIFO`,
  unit: 'ns',
  inQuick: false,
  target: null,
  cases: {
    'ours': () => oursZeroed(size),
    'koffi calloc/free': () => koffiZeroed(size),
    'Buffer.alloc': () => bufferZeroed(size),
  },
}));

export const rows = [...plainRows, ...mixedRows, ...alignedRows, ...zeroedRows];

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

function oursMixed(name) {
  const { slots, sizes, kept } = pattern(name);
  const blocks = Array.from({ length: ALIVE }, (_, index) => DirectMemoryManager.allocateMemory(sizes[index]));
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const at = slots[i & (PATTERN_LENGTH - 1)];
      DirectMemoryManager.freeMemory(blocks[at]);
      const block = DirectMemoryManager.allocateMemory(sizes[i & (PATTERN_LENGTH - 1)]);
      blocks[at] = block;
      sum += block.size;
    }
    return sum;
  };
  const check = () => {
    loop(PATTERN_LENGTH);
    blocks.forEach(({ size }, index) => expectSame(size, kept[index], `what a round leaves in place ${index}`));
    const before = totals();
    loop(PATTERN_LENGTH);
    expectSame(totals().currentAllocated, before.currentAllocated, 'live bytes after one round more');
    expectStamps(blocks.map((block) => block.bytes()));
  };
  const dispose = () => {
    for (const block of blocks) block.free();
  };
  return { loop, check, expected: summed(PATTERN_LENGTH, (i) => sizes[i]), dispose };
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

/** Freed at a known moment: its memory moves to a buffer of no bytes. */
function transferLifo(size) {
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const buffer = new ArrayBuffer(size);
      sum += buffer.byteLength;
      buffer.transfer(0);
    }
    return sum;
  };
  return { loop, check: () => expectTransferred(size), expected: times(size) };
}

function transferAlive(size) {
  const alive = Array.from({ length: ALIVE }, () => new ArrayBuffer(size));
  const loop = (n) => {
    for (let i = 0; i < n; i += 1) {
      const at = order[i & ORDER_MASK];
      alive[at].transfer(0);
      alive[at] = new ArrayBuffer(size);
    }
    return n;
  };
  const check = () => {
    expectTransferred(size);
    alive.forEach((buffer) => expectWritable(new Uint8Array(buffer), size));
  };
  return { loop, check, expected: times(1) };
}

function expectTransferred(size) {
  const buffer = new ArrayBuffer(size);
  const bytes = new Uint8Array(buffer);
  expectWritable(bytes, size);
  buffer.transfer(0);
  expectSame(bytes.length, 0, 'length of a view after the transfer');
}
