// Views of allocated memory, of all six types:
// - they show the region itself, both ways, in every class, at no cost of a buffer each
// - reset() and close() give all of them the length 0; a free does not
// - when the region's buffer was transferred away, every access is ERR_OFFHEAP_ESCAPED, close() succeeds, and the receiver keeps its bytes
// - a region's buffer that is marked as untransferable holds off reset and close where the runtime keeps it attached, and nothing is lost
import { markAsUntransferable } from 'node:worker_threads';
import test from 'ava';
import { AdvancedMemoryAllocator, DirectMemoryManager as Manager } from '../index.js';
import type { AllocatedMemory } from '../index.js';
import { MARKED, MIB, TYPES, closeAfterEach, open, refuses } from './_allocators.js';

const ESCAPED = 'ERR_OFFHEAP_ESCAPED';
const NODE = Number(process.versions.node.split('.')[0]);
/** Node 20 marks native memory as untransferable, so there nothing is taken away: a transfer makes a copy. */
const canEscape = 'transfer' in ArrayBuffer.prototype;
const CLASSES = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array];

closeAfterEach();

const WAYS: { readonly [way: string]: (buffer: ArrayBuffer) => ArrayBuffer } = {
  'structuredClone with transfer': (buffer) => structuredClone(buffer, { transfer: [buffer] }),
  ...(canEscape && { 'transfer()': (buffer: ArrayBuffer) => (buffer as unknown as { transfer(): ArrayBuffer }).transfer() }),
};

const ACCESSES: { readonly [name: string]: (memory: AllocatedMemory) => unknown } = {
  getUint8: (memory) => memory.getUint8(0),
  getFloat64: (memory) => memory.getFloat64(8),
  setInt32: (memory) => memory.setInt32(0, 1),
  setBigInt64: (memory) => memory.setBigInt64(0, 1n),
  fill: (memory) => memory.fill(1),
  copyTo: (memory) => memory.copyTo(Buffer.alloc(64)),
  equals: (memory) => memory.equals(memory),
  bytes: (memory) => memory.bytes(),
  view: (memory) => memory.view(Uint8Array),
  copyOut: (memory) => memory.copyOut(),
  text: (memory) => memory.text(),
  setMemory: (memory) => Manager.setMemory(memory, 0, 1, 0),
  zeroMemory: (memory) => Manager.zeroMemory(memory),
  'copyMemory from': (memory) => Manager.copyMemory(memory, 0, Buffer.alloc(8), 0, 8),
  'copyMemory to': (memory) => Manager.copyMemory(Buffer.alloc(8), 0, memory, 0, 8),
  compareMemory: (memory) => Manager.compareMemory(Buffer.alloc(8), 0, memory, 0, 8),
  mismatch: (memory) => Manager.mismatch(memory, 0, Buffer.alloc(8), 0, 8),
  createDirectByteBuffer: (memory) => Manager.createDirectByteBuffer(memory),
};

for (const type of TYPES) {
  test.serial(`${type}: views of every class show the memory itself, both ways`, (t) => {
    const allocator = open(type, MIB, 16);
    const [before, memory, after] = [allocator.allocate(64).fill(1), allocator.allocate(64).fill(0), allocator.allocate(64).fill(2)];
    const bytes = memory.bytes();
    const data = memory.view(DataView);
    t.deepEqual([bytes.length, data.byteLength, Manager.getDirectBufferAddress(bytes)], [64, 64, memory.address]);
    for (const Class of CLASSES) {
      const view = memory.view(Class);
      t.true(view instanceof Class);
      t.deepEqual([view.length, view.buffer], [64 / Class.BYTES_PER_ELEMENT, bytes.buffer], 'one buffer for all');
      const value = Class.name.startsWith('Big') ? 77n : 77;
      memory.view(Class, 16, 2).fill(value as never);
      t.is(view[16 / Class.BYTES_PER_ELEMENT] as unknown, value);
      t.is(memory.view(Class, 64).length, 0);
      if (Class.BYTES_PER_ELEMENT > 1) refuses(t, () => memory.view(Class, 1), 'ERR_OUT_OF_RANGE');
      for (const range of [[0, 64 / Class.BYTES_PER_ELEMENT + 1], [64, 1], [72], [-8], [0, 0.5]]) refuses(t, () => memory.view(Class, ...(range as [number])), 'ERR_OUT_OF_RANGE');
    }
    bytes[3] = 200;
    memory.setInt16(62, -2);
    t.deepEqual([memory.getUint8(3), data.getUint8(3), bytes[62], data.getInt16(62, true)], [200, 200, 0xfe, -2]);
    for (const bad of [Array, Object, Function, ArrayBuffer]) refuses(t, () => memory.view(bad as never), 'ERR_INVALID_ARG_VALUE');
    for (const bad of [null, 'Uint8Array', {}]) refuses(t, () => memory.view(bad as never), 'ERR_INVALID_ARG_TYPE');
    bytes.fill(9);
    t.deepEqual([before.copyOut(), after.copyOut()], [Buffer.alloc(64, 1), Buffer.alloc(64, 2)]);
  });

  for (const ending of ['reset', 'close'] as const) {
    test.serial(`${type}: ${ending}() gives every view the length 0, a free does not`, (t) => {
      const allocator = open(type);
      const list = [allocator.allocate(64).fill(1), allocator.allocate(64).fill(2)];
      const views = list.flatMap((memory) => [memory.bytes(), memory.view(Float64Array), Manager.createDirectByteBuffer(memory), memory.bytes().subarray(8)]);
      const data = list[0]?.view(DataView) as DataView;
      list[0]?.free();
      t.true(views.every((view) => view.length > 0));
      allocator[ending]();
      t.deepEqual(views.map((view) => view.length), views.map(() => 0));
      t.throws(() => data.getInt8(0), { instanceOf: TypeError });
      if (ending === 'close') return;
      const next = allocator.allocate(64).fill(3);
      t.deepEqual([next.bytes()[63], next.getUint8(63), views[0]?.[0]], [3, 3, undefined]);
    });
  }

  test.serial(`${type}: the views of each time between two resets are its own`, (t) => {
    const allocator = open(type);
    const earlier: Uint8Array[] = [];
    for (let turn = 1; turn <= 5; turn += 1) {
      const memory = allocator.allocate(64).fill(turn);
      if (turn !== 3) {
        const views = [memory.bytes(), new Uint8Array(memory.bytes().buffer)]; // one over the whole region
        t.deepEqual(views.map((view, index) => view[index * memory.offset + 63]), [turn, turn]);
        (views[0] as Uint8Array)[0] = 99;
        earlier.push(...views);
      }
      t.deepEqual([memory.getUint8(0), memory.getUint8(63)], [turn === 3 ? 3 : 99, turn]);
      allocator.reset();
      t.true(earlier.every((view) => view.length === 0 && view.buffer.byteLength === 0), `after reset ${turn}`);
      refuses(t, () => memory.getUint8(0), 'ERR_OFFHEAP_USE_AFTER_FREE');
      refuses(t, () => memory.bytes(), 'ERR_OFFHEAP_USE_AFTER_FREE');
    }
    allocator.close();
  });

  test.serial(`${type}: a region whose buffer was transferred away is the receiver's`, async (t) => {
    for (const [way, take] of Object.entries(WAYS)) {
      const before = Manager.getMemoryStats().escaped;
      const allocator = AdvancedMemoryAllocator.getInstance(`escape ${way}`, type, MIB);
      for (let turn = 0; turn < 2; turn += 1) {
        allocator.allocate(64).bytes();
        allocator.reset(); // moves what showed it
      }
      const list = [allocator.allocate(64).fill(0x22), allocator.allocate(64).fill(0x23)];
      const memory = list[0] as AllocatedMemory;
      const view = memory.bytes();
      const { offset } = memory;
      const taken = new Uint8Array(take(view.buffer as ArrayBuffer));
      t.is(taken[offset], 0x22);
      if (!canEscape) {
        t.deepEqual([view.length, memory.getUint8(0)], [64, 0x22], 'not taken: copied');
        taken.fill(0);
        t.is(memory.getUint8(0), 0x22);
        allocator.close();
        t.is(Manager.getMemoryStats().escaped, before);
        continue;
      }
      t.is(view.length, 0);
      for (const each of list) for (const [name, access] of Object.entries(ACCESSES)) refuses(t, () => access(each), ESCAPED, name);
      await t.throwsAsync(memory.lease(() => t.fail()), { code: ESCAPED });
      t.true(memory.isValid());
      refuses(t, () => allocator.allocate(64).fill(1), ESCAPED, 'new memory is in the same region');
      memory.free();
      allocator.trim();
      t.deepEqual([...taken.subarray(offset, offset + 64)], Array.from({ length: 64 }, () => 0x22), 'after free and trim');
      allocator.close();
      t.is(Manager.getMemoryStats().escaped, before + MIB, way);
      refuses(t, () => memory.getUint8(0), 'ERR_OFFHEAP_CLOSED');
      const others = Array.from({ length: 4 }, () => open(type).allocate(16_384).fill(0x33));
      t.false(others.some((other) => other.address - BigInt(other.offset) === memory.address - BigInt(offset)), 'nobody gets the region');
      Manager.trim();
      t.deepEqual([...taken.subarray(offset, offset + 64)], Array.from({ length: 64 }, () => 0x22), 'after close');
      taken.fill(0x44);
      for (const other of others) t.is(other.getUint8(16_383), 0x33);
    }
  });

  test.serial(`${type}: an escape is not forgotten by a reset`, (t) => {
    if (!canEscape) return t.pass('nothing is taken away');
    const allocator = open(type);
    const memory = allocator.allocate(64).fill(0x22);
    const { buffer } = memory.bytes();
    const taken = new Uint8Array(structuredClone(buffer as ArrayBuffer, { transfer: [buffer as ArrayBuffer] }));
    allocator.reset();
    allocator.trim();
    const next = allocator.allocate(64);
    for (const [name, access] of Object.entries(ACCESSES)) refuses(t, () => access(next), ESCAPED, name);
    t.is(taken[memory.offset], 0x22);
    next.free();
    allocator.reset();
    refuses(t, () => allocator.allocate(64).getUint8(0), ESCAPED);
  });

  test.serial(`${type}: a region's buffer that is marked as untransferable loses nothing`, (t) => {
    for (const ending of ['reset', 'close'] as const) {
      const allocator = AdvancedMemoryAllocator.getInstance(`${MARKED} ${type} ${ending}`, type, MIB);
      const memory = allocator.allocate(64).fill(0x22);
      const view = memory.bytes();
      markAsUntransferable(view.buffer);
      if (NODE >= 24) {
        refuses(t, () => allocator[ending](), 'ERR_OFFHEAP_IN_USE');
        t.deepEqual([view[0], memory.getUint8(63), memory.isValid(), allocator.getStats().allocatedBlocks], [0x22, 0x22, true, 1]);
        view[0] = 1;
        t.is(memory.getUint8(0), 1);
        memory.free();
        t.is(allocator.allocate(64).fill(5).bytes()[0], 5, 'it goes on');
      } else {
        allocator[ending]();
        t.deepEqual([view.length, memory.isValid()], [0, false]);
        allocator.close();
      }
    }
  });
}

test.serial('a thousand looks at a thousand grants make one buffer', (t) => {
  const allocator = open('slab');
  const list = Array.from({ length: 1000 }, () => allocator.allocate(64));
  const buffers = new Set(list.flatMap((memory) => [memory.bytes().buffer, memory.view(DataView).buffer, Manager.createDirectByteBuffer(memory).buffer]));
  t.is(buffers.size, 1);
});

for (const [look, act] of Object.entries({
  'accesses': (memory: AllocatedMemory) => memory.setInt32(0, 1),
  'views': (memory: AllocatedMemory) => memory.bytes(),
})) {
  test.serial(`V8 counts nothing of an allocator after its close, whatever its ${look}`, (t) => {
    const before = process.memoryUsage().external;
    for (let turn = 0; turn < 20; turn += 1) {
      const allocator = open('arena', MIB);
      act(allocator.allocate(64));
      allocator.reset();
      act(allocator.allocate(64));
      allocator.close();
    }
    t.true(process.memoryUsage().external - before < MIB / 4);
  });
}

test.serial('V8 counts nothing of a region any more that nobody looked at between two resets', (t) => {
  const allocator = open('slab', 16 * MIB);
  const before = process.memoryUsage().external;
  for (let turn = 0; turn < 3; turn += 1) {
    allocator.allocate(64).bytes();
    allocator.reset();
  }
  allocator.allocate(64);
  allocator.reset();
  t.true(process.memoryUsage().external - before < MIB, 'its buffer is kept for one turn only');
  t.is(allocator.allocate(64).fill(7).bytes()[63], 7);
});
