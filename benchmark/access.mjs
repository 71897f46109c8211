// One checked access of a block, next to unchecked ones of a DataView and a Buffer. Loop, index and sum (about 1 ns) are in each figure.
import { Buffer } from 'node:buffer';
import { DirectMemoryManager } from 'offheap';
import { expectSame, summed, times } from './_checks.mjs';

export const group = 'access';

/** Elements of each block; an access goes to `i & 15`. */
const ELEMENTS = 16;
const MANY = 256;
const STEP = 4096;
const target = { written: 5, scaled: true };

/** Element `k` of memory `j` holds this: each access is told from its neighbours. */
const content = (j, k) => j * ELEMENTS + k + 1;
const readsOne = summed(STEP, (i) => content(0, i & 15));
const readsMany = summed(STEP, (i) => content(i & 255, (i >> 8) & 15));
/** After `n` stores of `i & 1023` the elements hold the last 16 of them. */
const wrote = () => summed(ELEMENTS, (i) => 1024 - ELEMENTS + i)(ELEMENTS);

export const rows = [
  ...['never viewed', 'viewed'].flatMap((state) => [
    row(`getInt32, ${state}`, () => getInt32(state), { 'DataView': () => dataView32(), 'Buffer.readInt32LE': () => readInt32() }),
    row(`setInt32, ${state}`, () => setInt32(state), { 'DataView': () => dataViewSet32(), 'Buffer.writeInt32LE': () => writeInt32() }),
    row(`getFloat64, ${state}`, () => getFloat64(state), { 'DataView': () => dataView64(), 'Buffer.readDoubleLE': () => readDouble() }),
    row(`setFloat64, ${state}`, () => setFloat64(state), { 'DataView': () => dataViewSet64(), 'Buffer.writeDoubleLE': () => writeDouble() }),
    row(`getInt32, ${MANY} blocks in turn, ${state}`, () => getMany(state), { 'DataView': () => dataViewMany(), 'Buffer.readInt32LE': () => readMany() }),
  ]),
  { operation: 'isValid()', unit: 'ns', step: STEP, target: null, cases: { ours: () => isValid() } },
];

function row(operation, ours, peers) {
  return { operation, unit: 'ns', step: STEP, target, cases: { ours, ...peers } };
}

// === Ours ===

/** A block and its contents, written through `set`. */
function blockOf(j, width, state, set) {
  const block = DirectMemoryManager.allocateMemory(ELEMENTS * width);
  if (state === 'viewed') block.bytes().fill(255);
  for (let k = 0; k < ELEMENTS; k += 1) set(block, k * width, content(j, k));
  return block;
}

/** Reads back through an independent path: a copy on the heap. */
function expectContents(block, j, width) {
  const copy = block.copyOut();
  for (let k = 0; k < ELEMENTS; k += 1) {
    expectSame(width === 4 ? copy.readInt32LE(k * width) : copy.readDoubleLE(k * width), content(j, k), `element ${k} of block ${j}`);
  }
}

const int32Block = (state) => blockOf(0, 4, state, (block, offset, value) => block.setInt32(offset, value));
const float64Block = (state) => blockOf(0, 8, state, (block, offset, value) => block.setFloat64(offset, value));

function getInt32(state) {
  const block = int32Block(state);
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += block.getInt32((i & 15) << 2);
    return sum;
  };
  return { loop, check: () => expectContents(block, 0, 4), expected: readsOne, dispose: () => block.free() };
}

function getFloat64(state) {
  const block = float64Block(state);
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += block.getFloat64((i & 15) << 3);
    return sum;
  };
  return { loop, check: () => expectContents(block, 0, 8), expected: readsOne, dispose: () => block.free() };
}

/** What a copy of the block holds after the stores; the loop's own result is read by accessors. */
function checkStores(block, width, loop) {
  loop(STEP);
  const copy = block.copyOut();
  for (let k = 0; k < ELEMENTS; k += 1) {
    expectSame(width === 4 ? copy.readInt32LE(k * width) : copy.readDoubleLE(k * width), 1024 - ELEMENTS + k, `stored element ${k}`);
  }
}

function setInt32(state) {
  const block = int32Block(state);
  const loop = (n) => {
    for (let i = 0; i < n; i += 1) block.setInt32((i & 15) << 2, i & 1023);
    let sum = 0;
    for (let k = 0; k < ELEMENTS; k += 1) sum += block.getInt32(k * 4);
    return sum;
  };
  return { loop, check: () => checkStores(block, 4, loop), expected: wrote, dispose: () => block.free() };
}

function setFloat64(state) {
  const block = float64Block(state);
  const loop = (n) => {
    for (let i = 0; i < n; i += 1) block.setFloat64((i & 15) << 3, i & 1023);
    let sum = 0;
    for (let k = 0; k < ELEMENTS; k += 1) sum += block.getFloat64(k * 8);
    return sum;
  };
  return { loop, check: () => checkStores(block, 8, loop), expected: wrote, dispose: () => block.free() };
}

function getMany(state) {
  const blocks = Array.from({ length: MANY }, (_, j) => blockOf(j, 4, state, (block, offset, value) => block.setInt32(offset, value)));
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += blocks[i & 255].getInt32(((i >> 8) & 15) << 2);
    return sum;
  };
  const check = () => blocks.forEach((block, j) => expectContents(block, j, 4));
  return { loop, check, expected: readsMany, dispose: () => blocks.forEach((block) => block.free()) };
}

function isValid() {
  const block = DirectMemoryManager.allocateMemory(64);
  const dead = DirectMemoryManager.allocateMemory(64);
  dead.free();
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += block.isValid() ? 1 : 0;
    return sum;
  };
  return { loop, check: () => expectSame(dead.isValid(), false, 'isValid() of a freed block'), expected: times(1), dispose: () => block.free() };
}

// === Peers ===

function bufferOf(j, width) {
  const bytes = Buffer.alloc(ELEMENTS * width);
  for (let k = 0; k < ELEMENTS; k += 1) {
    if (width === 4) bytes.writeInt32LE(content(j, k), k * width);
    else bytes.writeDoubleLE(content(j, k), k * width);
  }
  return bytes;
}

const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
/** What a peer's loop returns is compared with the model: that is its check. */
const peer = (loop, expected) => ({ loop, expected, check: () => {} });

function dataView32() {
  const view = viewOf(bufferOf(0, 4));
  return peer((n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += view.getInt32((i & 15) << 2, true);
    return sum;
  }, readsOne);
}

function readInt32() {
  const bytes = bufferOf(0, 4);
  return peer((n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += bytes.readInt32LE((i & 15) << 2);
    return sum;
  }, readsOne);
}

function dataView64() {
  const view = viewOf(bufferOf(0, 8));
  return peer((n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += view.getFloat64((i & 15) << 3, true);
    return sum;
  }, readsOne);
}

function readDouble() {
  const bytes = bufferOf(0, 8);
  return peer((n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += bytes.readDoubleLE((i & 15) << 3);
    return sum;
  }, readsOne);
}

function dataViewSet32() {
  const view = viewOf(bufferOf(0, 4));
  return peer((n) => {
    for (let i = 0; i < n; i += 1) view.setInt32((i & 15) << 2, i & 1023, true);
    let sum = 0;
    for (let k = 0; k < ELEMENTS; k += 1) sum += view.getInt32(k * 4, true);
    return sum;
  }, wrote);
}

function writeInt32() {
  const bytes = bufferOf(0, 4);
  return peer((n) => {
    for (let i = 0; i < n; i += 1) bytes.writeInt32LE(i & 1023, (i & 15) << 2);
    let sum = 0;
    for (let k = 0; k < ELEMENTS; k += 1) sum += bytes.readInt32LE(k * 4);
    return sum;
  }, wrote);
}

function dataViewSet64() {
  const view = viewOf(bufferOf(0, 8));
  return peer((n) => {
    for (let i = 0; i < n; i += 1) view.setFloat64((i & 15) << 3, i & 1023, true);
    let sum = 0;
    for (let k = 0; k < ELEMENTS; k += 1) sum += view.getFloat64(k * 8, true);
    return sum;
  }, wrote);
}

function writeDouble() {
  const bytes = bufferOf(0, 8);
  return peer((n) => {
    for (let i = 0; i < n; i += 1) bytes.writeDoubleLE(i & 1023, (i & 15) << 3);
    let sum = 0;
    for (let k = 0; k < ELEMENTS; k += 1) sum += bytes.readDoubleLE(k * 8);
    return sum;
  }, wrote);
}

function dataViewMany() {
  const views = Array.from({ length: MANY }, (_, j) => viewOf(bufferOf(j, 4)));
  return peer((n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += views[i & 255].getInt32(((i >> 8) & 15) << 2, true);
    return sum;
  }, readsMany);
}

function readMany() {
  const buffers = Array.from({ length: MANY }, (_, j) => bufferOf(j, 4));
  return peer((n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += buffers[i & 255].readInt32LE(((i >> 8) & 15) << 2);
    return sum;
  }, readsMany);
}
