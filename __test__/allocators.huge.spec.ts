// A region of 5 GiB, of all six types, touched here and there: on Node 20 one ArrayBuffer shows 4 GiB at most, so views come in windows.
// - accessors, views and operations reach the last byte, and what one wrote the others read
// - memory that is larger than one ArrayBuffer is filled, copied and compared in its parts, and read as a whole
// - a reset gives every window's views the length 0
import { constants } from 'node:buffer';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { AdvancedMemoryAllocator, DirectMemoryManager as Manager } from '../index.js';
import type { AllocatedMemory, AllocatorType } from '../index.js';
import { GIB, KIB, MIB, TYPES, closeAfterEach, open, refuses } from './_allocators.js';

closeAfterEach();

const TOTAL = 5 * GIB;
/** Places around which windows of 1, 2 and 4 GiB could begin or end. */
const EDGES = [GIB, 2 * GIB, 4 * GIB];

/** Memory that ends at, or right before, the end of the region. */
function farMemory(allocator: AdvancedMemoryAllocator, type: AllocatorType): AllocatedMemory {
  const size = type === 'slab' ? 16 * KIB : type === 'pool' ? MIB : GIB;
  let last = allocator.allocate(size);
  for (let memory = allocator.tryAllocate(size); memory !== null; memory = allocator.tryAllocate(size)) if (memory.offset > last.offset) last = memory;
  return last;
}

function farEndIsReached(t: ExecutionContext, allocator: AdvancedMemoryAllocator, type: AllocatorType): void {
  const memory = farMemory(allocator, type);
  const { size, offset } = memory;
  t.true(offset >= 4 * GIB && offset + size === TOTAL, `${offset} + ${size}`);
  for (const isViewed of [false, true]) {
    if (isViewed) memory.bytes(0, 1);
    memory.fill(0, size - 64, 64);
    memory.setBigUint64(size - 8, 0x0102030405060708n, false);
    memory.setFloat64(size - 24, 1.5);
    memory.setUint8(size - 9, 9);
    refuses(t, () => memory.getUint8(size), 'ERR_OUT_OF_RANGE');
    refuses(t, () => memory.setUint16(size - 1, 0), 'ERR_OUT_OF_RANGE');
    t.deepEqual([memory.getUint8(size - 1), memory.getBigUint64(size - 8, false), memory.getFloat64(size - 24)], [8, 0x0102030405060708n, 1.5]);
    const bytes = memory.bytes(size - 32);
    t.deepEqual([bytes.length, bytes[31], bytes[23], Manager.getDirectBufferAddress(bytes)], [32, 8, 9, memory.address + BigInt(size - 32)]);
    t.is(memory.view(Float64Array, size - 24, 1)[0], 1.5);
    t.is(memory.view(DataView, size - 8).getBigUint64(0), 0x0102030405060708n);
    t.is(Manager.createDirectByteBuffer(memory, size - 8).readUInt8(7), 8);
    bytes[0] = 77;
    t.deepEqual([memory.getUint8(size - 32), memory.copyOut(size - 32, 1)[0], memory.text(size - 32, 1)], [77, 77, 'M']);
    Manager.copyMemory(memory, size - 32, memory, size - 64, 32);
    t.deepEqual([Manager.mismatch(memory, size - 32, memory, size - 64, 32), Manager.compareMemory(memory, size - 32, bytes, 0, 32)], [-1, 0]);
    memory.copyTo(bytes, 0, size - 1);
    t.is(memory.getUint8(size - 32), 8);
  }
  const view = memory.bytes(size - 8);
  allocator.reset();
  t.is(view.length, 0);
}

for (const type of TYPES) {
  test.serial(`${type}: the far end of 5 GiB is reached by accessors, views and operations`, (t) => {
    const allocator = open(type, TOTAL, 'page');
    farEndIsReached(t, allocator, type);
    farEndIsReached(t, allocator, type); // after a reset
  });
}

for (const type of TYPES.filter((each) => each !== 'slab')) {
  test.serial(`${type}: memory that is larger than 4 GiB is used in its parts`, (t) => {
    const size = type === 'buddy' ? 8 * GIB : 4.5 * GIB;
    const allocator = open(type, size, 'page');
    const memory = allocator.allocate(size);
    const views = EDGES.map((edge) => {
      memory.setBigUint64(edge - 4, 0x0807060504030201n);
      t.deepEqual([memory.getUint32(edge - 4), memory.getUint32(edge), memory.getUint8(edge - 1)], [0x04030201, 0x08070605, 4]);
      const view = memory.bytes(edge - 4, 8);
      t.deepEqual([...view], [1, 2, 3, 4, 5, 6, 7, 8]);
      view[4] = 50;
      t.is(memory.getUint8(edge), 50);
      t.deepEqual([...memory.copyOut(edge - 1, 2)], [4, 50]);
      memory.fill(6, edge - 1, 2);
      t.deepEqual([view[3], view[4]], [6, 6]);
      Manager.setMemory(memory, edge - 2, 1, 255);
      t.is(memory.view(Int8Array, edge - 2, 1)[0], -1);
      Manager.copyMemory(Buffer.from('abcdefgh'), 0, memory, edge - 4, 8);
      t.deepEqual([memory.text(edge - 4, 8), Manager.mismatch(memory, edge - 4, Buffer.from('abcdeXgh'), 0, 8)], ['abcdefgh', 5]);
      return view;
    });
    Manager.copyMemory(memory, GIB - 4, memory, size - 8, 8);
    t.deepEqual([memory.text(size - 8), Manager.compareMemory(memory, size - 8, memory, 4 * GIB - 4, 8)], ['abcdefgh', 0]);
    t.true(views.every((view) => Buffer.from(view).toString() === 'abcdefgh'));
    refuses(t, () => memory.bytes(size - 8, 9), 'ERR_OUT_OF_RANGE');
    if (size > constants.MAX_LENGTH) refuses(t, () => memory.bytes(), 'ERR_OUT_OF_RANGE');
    memory.free();
    refuses(t, () => memory.getUint8(size - 1), 'ERR_OFFHEAP_USE_AFTER_FREE');
    allocator.reset();
    t.true(views.every((view) => view.length === 0));
  });
}

for (const type of ['buddy', 'arena', 'ring', 'pool', 'hybrid'] as const) {
  test.serial(`${type}: one operation reads more than 4 GiB`, (t) => {
    const memory = open(type, 8 * GIB, 'page').allocate(4.5 * GIB);
    memory.setUint8(4.5 * GIB - 1, 1); // nothing else is touched: the rest reads as zeros, from one page
    t.is(Manager.mismatch(memory, 0, memory, MIB, 4.5 * GIB - MIB), 4.5 * GIB - MIB - 1);
    t.is(Manager.compareMemory(memory, 0, memory, MIB, 4.5 * GIB - MIB), -1);
  });
}

if ('transfer' in ArrayBuffer.prototype) {
  test.serial('one buffer of a huge region that was transferred away ends the access to all of it', (t) => {
    for (const isFar of [false, true]) {
      const before = Manager.getMemoryStats().escaped;
      using allocator = AdvancedMemoryAllocator.getInstance(`escape ${isFar}`, 'arena', TOTAL);
      const memory = allocator.allocate(TOTAL);
      const view = memory.bytes(isFar ? TOTAL - 8 : 0, 8);
      view.fill(0x22);
      const taken = new Uint8Array(structuredClone(view.buffer as ArrayBuffer, { transfer: [view.buffer as ArrayBuffer] }));
      for (const at of [0, 2 * GIB, TOTAL - 8]) refuses(t, () => memory.getUint8(at), 'ERR_OFFHEAP_ESCAPED');
      allocator.close();
      t.is(Manager.getMemoryStats().escaped, before + TOTAL);
      t.is(taken[view.byteOffset + (isFar ? taken.length - 8 : 0)], 0x22);
    }
  });
}

test.serial('an empty view at the very end of a huge region is empty', (t) => {
  const memory = open('arena', TOTAL).allocate(TOTAL);
  t.is(memory.bytes(TOTAL, 0).length, 0);
  t.is(memory.bytes(TOTAL).length, 0);
  t.is(memory.bytes(TOTAL - 1).length, 1);
});
