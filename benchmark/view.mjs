// Allocate + a zero-copy view + one store and load through it + free, after which every view has length 0.
import { Buffer } from 'node:buffer';
import { DirectMemoryManager } from 'offheap';
import { allocateMany, expectApart, expectBalanced } from './_pairs.mjs';
import { expectSame, summed } from './_checks.mjs';
import { libc } from './_peers.mjs';
import { ALIVE, KIB, MIB, ORDER_MASK, order, sizeText } from './_scenarios.mjs';

export const group = 'view';
export const heavy = true;

/** Node 20 has no `ArrayBuffer.prototype.transfer`, so each view is a new external ArrayBuffer. */
const moves = typeof ArrayBuffer.prototype.transfer === 'function';
const target = (alive) => ({ written: moves ? (alive ? 600 : 350) : 2500, scaled: true });
const STEP = 128;
const expected = summed(STEP, (i) => i & 127);

export const rows = [
  ...[64, KIB, 64 * KIB, MIB].flatMap((size) => [
    row(`Buffer + store ${sizeText(size)}, LIFO`, size, oursBuffer, koffiLifo, unsafeLifo, transferLifo),
    row(`Buffer + store ${sizeText(size)}, ${ALIVE} alive, replaced in random order`, size, oursAlive, koffiAlive, unsafeAlive, transferAlive),
    row(`bytes() + store ${sizeText(size)}, LIFO`, size, oursBytes, koffiLifo, unsafeLifo, transferLifo),
  ]),
  row(`bytes() + store ${sizeText(MIB)}, LIFO, after a peak of ${ALIVE} MiB was freed`, MIB, afterPeak(oursAlive, oursBytes),
    afterPeak(koffiAlive, koffiLifo), afterPeak(unsafeAlive, unsafeLifo), afterPeak(transferAlive, transferLifo)),
];

function row(operation, size, ours, koffi, unsafe, transferred) {
  const cases = {
    'ours': () => ours(size),
    'koffi malloc/view/free': () => koffi(size),
    'Buffer.allocUnsafeSlow': () => unsafe(size),
    ...(moves && { 'new ArrayBuffer + transfer(0)': () => transferred(size) }),
  };
  return { operation, unit: 'ns', step: STEP, inQuick: size !== KIB, target: target(ours === oursAlive), cases };
}

/** A case that begins when the memory of another one has been written and freed again. */
function afterPeak(peak, next) {
  return (size) => {
    const many = peak(size);
    many.check();
    many.dispose?.();
    return next(size);
  };
}

// === Ours ===

/** One view: as long as the block, over its memory, dead after the free. */
function checkView(size, viewOf) {
  const block = DirectMemoryManager.allocateMemory(size);
  const view = viewOf(block);
  expectSame(view.length, size, 'length of the view');
  view.fill(3);
  view[size - 1] = 201;
  expectSame(block.getUint8(0), 3, 'what the block has of a store through the view');
  expectSame(block.getUint8(size - 1), 201, 'the last byte');
  block.setUint8(0, 77);
  expectSame(view[0], 77, 'what the view has of a store through the block');
  DirectMemoryManager.freeMemory(block);
  expectSame(view.length, 0, 'length of the view after the free');
}

function oursBuffer(size) {
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const block = DirectMemoryManager.allocateMemory(size);
      const view = DirectMemoryManager.createDirectByteBuffer(block);
      view[0] = i & 127;
      sum += view[0];
      DirectMemoryManager.freeMemory(block);
    }
    return sum;
  };
  const after = () => expectBalanced(loop, STEP, size);
  const check = () => {
    checkView(size, (block) => DirectMemoryManager.createDirectByteBuffer(block));
    after();
  };
  return { loop, check, expected, after };
}

function oursBytes(size) {
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const block = DirectMemoryManager.allocateMemory(size);
      const view = block.bytes();
      view[0] = i & 127;
      sum += view[0];
      DirectMemoryManager.freeMemory(block);
    }
    return sum;
  };
  const after = () => expectBalanced(loop, STEP, size);
  const check = () => {
    checkView(size, (block) => block.bytes());
    after();
  };
  return { loop, check, expected, after };
}

function oursAlive(size) {
  const blocks = allocateMany(size);
  const views = blocks.map((block) => DirectMemoryManager.createDirectByteBuffer(block));
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const at = order[i & ORDER_MASK];
      DirectMemoryManager.freeMemory(blocks[at]);
      const block = DirectMemoryManager.allocateMemory(size);
      const view = DirectMemoryManager.createDirectByteBuffer(block);
      view[0] = i & 127;
      sum += view[0];
      blocks[at] = block;
      views[at] = view;
    }
    return sum;
  };
  const check = () => {
    expectBalanced(loop, STEP, size);
    expectApart(blocks, size);
    views.forEach((view, index) => expectSame(view[size - 1], index & 255, `last byte of view ${index}`));
  };
  const dispose = () => {
    for (const block of blocks) block.free();
  };
  return { loop, check, expected, after: () => expectBalanced(loop, STEP, size), dispose };
}

// === Peers ===

/** Its views stay attached to freed memory: faster than safe. */
function koffiLifo(size) {
  const { malloc, free, view } = libc();
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const pointer = malloc(size);
      const bytes = view(pointer, size);
      bytes[0] = i & 127;
      sum += bytes[0];
      free(pointer);
    }
    return sum;
  };
  const check = () => {
    const pointer = malloc(size);
    view(pointer, size).fill(9);
    expectSame(view(pointer, size)[size - 1], 9, 'last byte');
    free(pointer);
  };
  return { loop, check, expected };
}

function koffiAlive(size) {
  const { malloc, free, view } = libc();
  const pointers = Array.from({ length: ALIVE }, () => malloc(size));
  const views = pointers.map((pointer) => view(pointer, size));
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const at = order[i & ORDER_MASK];
      free(pointers[at]);
      const pointer = malloc(size);
      const bytes = view(pointer, size);
      bytes[0] = i & 127;
      sum += bytes[0];
      pointers[at] = pointer;
      views[at] = bytes;
    }
    return sum;
  };
  const check = () => {
    views.forEach((bytes, index) => bytes.fill(index));
    views.forEach((bytes, index) => expectSame(bytes[size - 1], index, `last byte of view ${index}`));
  };
  return { loop, check, expected, dispose: () => pointers.forEach((pointer) => free(pointer)) };
}

/** Never freed: the collector's time is outside most samples. */
function unsafeLifo(size) {
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const bytes = Buffer.allocUnsafeSlow(size);
      bytes[0] = i & 127;
      sum += bytes[0];
    }
    return sum;
  };
  return { loop, check: () => expectSame(Buffer.allocUnsafeSlow(size).fill(5)[size - 1], 5, 'last byte'), expected };
}

function unsafeAlive(size) {
  const alive = Array.from({ length: ALIVE }, () => Buffer.allocUnsafeSlow(size));
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const bytes = Buffer.allocUnsafeSlow(size);
      bytes[0] = i & 127;
      sum += bytes[0];
      alive[order[i & ORDER_MASK]] = bytes;
    }
    return sum;
  };
  return { loop, check: () => alive.forEach((bytes) => expectSame(bytes.fill(5)[size - 1], 5, 'last byte')), expected };
}

/** Zeroed, and freed at a known moment by moving the memory to a buffer of no bytes. */
function transferLifo(size) {
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const bytes = new Uint8Array(size);
      bytes[0] = i & 127;
      sum += bytes[0];
      bytes.buffer.transfer(0);
    }
    return sum;
  };
  return { loop, check: () => checkTransfer(size), expected };
}

function transferAlive(size) {
  const alive = Array.from({ length: ALIVE }, () => new Uint8Array(size));
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const at = order[i & ORDER_MASK];
      alive[at].buffer.transfer(0);
      const bytes = new Uint8Array(size);
      bytes[0] = i & 127;
      sum += bytes[0];
      alive[at] = bytes;
    }
    return sum;
  };
  const check = () => {
    checkTransfer(size);
    alive.forEach((bytes) => expectSame(bytes.fill(5)[size - 1], 5, 'last byte'));
  };
  return { loop, check, expected };
}

function checkTransfer(size) {
  const bytes = new Uint8Array(size).fill(5);
  expectSame(bytes[size - 1], 5, 'last byte');
  bytes.buffer.transfer(0);
  expectSame(bytes.length, 0, 'length of the view after the transfer');
}
