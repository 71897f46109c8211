// Properties of allocated memory, of all six types:
// - accessors of all ten types, in both byte orders, do what DataView does; outside the memory they refuse, though the region goes on
// - fill, copyTo, equals, bytes, view, copyOut, text, pin and lease do what the contract says
// - copy, set, compare, mismatch and zero work between MemoryBlocks, AllocatedMemory, views and buffers
// - memory that was freed, reset away, rewound past or closed refuses each method with its own code, and still tells what it was
import { inspect } from 'node:util';
import test from 'ava';
import { AllocatedMemory, DirectMemoryManager as Manager, MemoryBlock } from '../index.js';
import type { NativeMemory } from '../index.js';
import { TYPES, closeAfterEach, open, refuses } from './_allocators.js';

closeAfterEach();

type Methods = { readonly [name: string]: (...args: readonly unknown[]) => unknown };
const methods = (target: object): Methods => target as unknown as Methods;
const RANGE = 'ERR_OUT_OF_RANGE';
const USED = 'ERR_OFFHEAP_USE_AFTER_FREE';
const WIDTHS: { readonly [type: string]: number } = {
  Int8: 1, Uint8: 1, Int16: 2, Uint16: 2, Int32: 4, Uint32: 4, Float32: 4, Float64: 8, BigInt64: 8, BigUint64: 8,
};
const VALUES = [0, -0, 1, -1, 127, 255, 256, -129, 65_535, 2 ** 31, 2 ** 32 + 1, 1.9, NaN, -Infinity, 2 ** 53, 1e300];
const BIGINTS = [0n, 1n, -1n, 2n ** 63n, -(2n ** 63n) - 1n, 3n ** 80n];

for (const type of TYPES) {
  test.serial(`${type}: accessors agree with DataView in both byte orders, before and after a view`, (t) => {
    const allocator = open(type);
    const [before, memory, after] = [allocator.allocate(40).fill(1), allocator.allocate(37).fill(0xa5), allocator.allocate(40).fill(2)];
    const judge = new DataView(new ArrayBuffer(37));
    new Uint8Array(judge.buffer).fill(0xa5);
    for (const isViewed of [false, true]) {
      if (isViewed) memory.bytes();
      for (const [kind, width] of Object.entries(WIDTHS)) {
        for (const offset of [0, 1, 7, 37 - width]) {
          for (const value of kind.startsWith('Big') ? BIGINTS : VALUES) {
            for (const little of [true, false, undefined]) {
              methods(memory)[`set${kind}`]?.(offset, value, little);
              methods(judge)[`set${kind}`]?.(offset, value, little ?? true);
              for (const order of [true, false]) {
                if (!Object.is(methods(memory)[`get${kind}`]?.(offset, order), methods(judge)[`get${kind}`]?.(offset, order))) t.fail(`${kind} ${offset} ${value}`);
              }
            }
          }
        }
        t.deepEqual(memory.copyOut(), Buffer.from(judge.buffer), kind);
        for (const offset of [37 - width + 1, 37, 38, -1, NaN, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, Infinity]) {
          refuses(t, () => methods(memory)[`get${kind}`]?.(offset), RANGE, `${kind} ${offset}`);
          refuses(t, () => methods(memory)[`set${kind}`]?.(offset, kind.startsWith('Big') ? 0n : 0), RANGE, `${kind} ${offset}`);
        }
        for (const bad of ['0', null, undefined, {}, 0n]) refuses(t, () => methods(memory)[`get${kind}`]?.(bad), 'ERR_INVALID_ARG_TYPE');
        for (const bad of ['0', null, undefined, {}, kind.startsWith('Big') ? 0 : 0n]) refuses(t, () => methods(memory)[`set${kind}`]?.(0, bad), 'ERR_INVALID_ARG_TYPE');
      }
    }
    t.deepEqual([before.copyOut(), after.copyOut()], [Buffer.alloc(40, 1), Buffer.alloc(40, 2)], 'the neighbours');
  });

  test.serial(`${type}: fill, copyTo, equals, copyOut and text stay inside, and do what they say`, (t) => {
    const allocator = open(type);
    const [memory, other] = [allocator.allocate(10), allocator.allocate(12).fill(99)];
    t.is(memory.fill(1), memory);
    memory.fill(-1, 3).fill(2, 5, 2).fill(9, 10).fill(9, 4, 0).fill(-128, 9, 1);
    t.deepEqual([...memory.bytes()], [1, 1, 1, 255, 255, 2, 2, 255, 255, 128]);
    for (const value of [-129, 256, 1.5, NaN]) refuses(t, () => memory.fill(value), RANGE);
    memory.copyTo(other, 1);
    memory.copyTo(other, 11, 9, 1);
    t.deepEqual([...other.bytes()], [99, 1, 1, 1, 255, 255, 2, 2, 255, 255, 128, 128]);
    memory.copyTo(memory, 2, 0, 8);
    t.deepEqual([...memory.bytes()], [1, 1, 1, 1, 1, 255, 255, 2, 2, 255]);
    const words = new Uint16Array(2);
    memory.copyTo(words, 1, 5, 3);
    t.deepEqual([...new Uint8Array(words.buffer)], [0, 255, 255, 2]);
    refuses(t, () => memory.copyTo(Buffer.alloc(9)), RANGE);
    refuses(t, () => memory.copyTo(other, 3), RANGE);
    t.true(memory.equals(memory) && memory.equals(memory.copyOut()) && memory.equals(MemoryBlock.from(memory.bytes())));
    t.false(memory.equals(other) || memory.equals(Buffer.alloc(10)) || memory.equals(memory.copyOut(0, 9)));
    const text = allocator.allocate(13);
    text.bytes().set(Buffer.from('grüße, \u{1f30d}').subarray(0, 13));
    t.deepEqual([text.text(0, 9), text.text(2, 2), text.text(9, 4), text.text(0, 2, 'hex'), text.text(0, 0)], ['grüße, ', 'ü', '\u{1f30d}', '6772', '']);
    const copy = text.copyOut(0, 2);
    copy[0] = 0;
    t.is(text.getUint8(0), 0x67, 'a copy');
    t.is(copy.buffer.byteLength, 2);
    for (const act of [(...range: number[]) => memory.fill(1, ...range), (...range: number[]) => memory.bytes(...range), (...range: number[]) => memory.copyOut(...range), (...range: number[]) => memory.text(...range), (...range: number[]) => memory.copyTo(Buffer.alloc(99), 0, ...range), (...range: number[]) => Manager.createDirectByteBuffer(memory, ...range)]) {
      for (const range of [[0, 10], [10, 0], [10], [9, 1], []]) t.notThrows(() => act(...range));
      for (const range of [[0, 11], [10, 1], [11, 0], [11], [-1], [1, 2 ** 53 - 1], [2 ** 53 - 1, 1], [0.5], [0, NaN]]) refuses(t, () => act(...range), RANGE, `${act} ${range}`);
      for (const range of [['0'], [null], [0, '1'], [0n]]) refuses(t, () => act(...(range as never[])), 'ERR_INVALID_ARG_TYPE');
    }
    refuses(t, () => memory.text(0, 1, 'utf9' as never), 'ERR_INVALID_ARG_VALUE');
    for (const bad of [null, 8, 'x', {}]) refuses(t, () => memory.copyTo(bad as never), 'ERR_INVALID_ARG_TYPE');
    for (const bad of [null, 8, 'x', {}]) refuses(t, () => memory.equals(bad as never), 'ERR_INVALID_ARG_TYPE');
  });

  test.serial(`${type}: operations work between blocks, allocated memory, views and buffers`, (t) => {
    const [one, two] = [open(type), open('buddy')];
    const make: { readonly [kind: string]: () => NativeMemory | Uint8Array | ArrayBuffer | DataView } = {
      block: () => Manager.allocateMemory(64),
      memory: () => one.allocate(64),
      'other memory': () => two.allocate(64),
      buffer: () => Buffer.alloc(64),
      array: () => new ArrayBuffer(64),
      view: () => new DataView(new ArrayBuffer(80), 8, 64),
    };
    const sample = Uint8Array.from({ length: 64 }, (_, index) => index * 5);
    for (const [from, source] of Object.entries(make)) {
      for (const [to, target] of Object.entries(make)) {
        if (!from.includes('memory') && !to.includes('memory')) continue;
        const [a, b] = [source(), target()];
        Manager.copyMemory(sample, 0, a, 0, 64);
        Manager.copyMemory(a, 0, b, 0, 64);
        t.is(Manager.mismatch(b, 0, sample, 0, 64), -1, `${from} ${to}`);
        Manager.copyMemory(a, 8, b, 0, 16, 'swap-endian', 8);
        Manager.copyMemory(a, 0, b, 40, 24, 'non-temporal');
        const expected = Buffer.from(sample);
        expected.set(Buffer.from(sample.subarray(8, 24)).swap64(), 0);
        expected.set(sample.subarray(0, 24), 40);
        t.is(Manager.compareMemory(b, 0, expected, 0, 64), 0, `${from} ${to}`);
        t.deepEqual([Manager.mismatch(a, 1, b, 1, 63), Manager.compareMemory(a, 1, b, 1, 10), Manager.compareMemory(b, 1, a, 1, 10)], [0, -1, 1]);
        t.is(Manager.mismatch(a, 64, b, 64, 0), -1);
        for (const act of [() => Manager.copyMemory(a, 1, b, 0, 64), () => Manager.copyMemory(a, 0, b, 1, 64), () => Manager.mismatch(a, 0, b, 1, 64), () => Manager.compareMemory(a, 1, b, 0, 64), () => Manager.copyMemory(a, 2 ** 53 - 1, b, 0, 2 ** 53 - 1)]) {
          refuses(t, act, RANGE, `${from} ${to}`);
        }
      }
    }
    const memory = one.allocate(64).fill(3);
    Manager.setMemory(memory, 8, 8, 255);
    t.is(memory.getBigInt64(8), -1n);
    refuses(t, () => Manager.setMemory(memory, 60, 5, 0), RANGE);
    Manager.zeroMemory(memory);
    t.deepEqual(memory.copyOut(), Buffer.alloc(64));
    const buffer = Manager.createDirectByteBuffer(memory, 8, 16);
    buffer.writeDoubleBE(1.5, 8);
    t.deepEqual([memory.getFloat64(16, false), buffer.length, Manager.getDirectBufferAddress(buffer)], [1.5, 16, memory.address + 8n]);
  });

  test.serial(`${type}: it belongs to its allocator, so DirectMemoryManager neither frees nor reallocates it`, (t) => {
    const memory = open(type).allocate(64).fill(7);
    refuses(t, () => Manager.freeMemory(memory as never), 'ERR_OFFHEAP_FOREIGN_BLOCK');
    refuses(t, () => Manager.reallocateMemory(memory as never, 128), 'ERR_OFFHEAP_FOREIGN_BLOCK');
    t.is(Manager.freeAllMemory(), 0);
    t.is(memory.getUint8(63), 7);
  });

  test.serial(`${type}: a lease pins until its function is done, whatever becomes of it`, async (t) => {
    const allocator = open(type);
    const memory = allocator.allocate(64);
    const result = await memory.lease(async (bytes) => {
      t.is(bytes.length, 64);
      bytes.fill(5);
      refuses(t, () => memory.free(), 'ERR_OFFHEAP_IN_USE');
      await new Promise(setImmediate);
      refuses(t, () => allocator.reset(), 'ERR_OFFHEAP_IN_USE');
      return 42;
    });
    t.deepEqual([result, memory.getUint8(63)], [42, 5]);
    await t.throwsAsync(memory.lease(() => Promise.reject(new Error('mine'))), { message: 'mine' });
    await t.throwsAsync(memory.lease(null as never), { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' });
    memory.free();
    await t.throwsAsync(memory.lease(() => t.fail()), { code: USED });
  });

  test.serial(`${type}: dead memory refuses each method with its code, and tells what it was`, async (t) => {
    const ways: { readonly [way: string]: { readonly code: string; readonly end: (memory: AllocatedMemory) => void } } = {
      freed: { code: USED, end: (memory) => memory.free() },
      reset: { code: USED, end: (memory) => memory.allocator.reset() },
      closed: { code: 'ERR_OFFHEAP_CLOSED', end: (memory) => memory.allocator.close() },
      ...(type === 'arena' && { rewound: { code: USED, end: () => undefined } }),
    };
    for (const [way, { code, end }] of Object.entries(ways)) {
      for (const isViewed of [false, true]) {
        const allocator = open(type);
        const mark = type === 'arena' ? allocator.mark() : undefined;
        const memory = allocator.allocate(64, 'mine').fill(1);
        if (isViewed) memory.bytes();
        const facts = [memory.id, memory.size, memory.requestedSize, memory.offset, memory.address, memory.allocator];
        end(memory);
        if (way === 'rewound' && mark !== undefined) allocator.rewind(mark);
        const heap = Buffer.alloc(64);
        const uses: (() => unknown)[] = [
          ...Object.keys(WIDTHS).flatMap((kind) => [() => methods(memory)[`get${kind}`]?.(0), () => methods(memory)[`set${kind}`]?.(0, kind.startsWith('Big') ? 0n : 0)]),
          ...['Store', 'Add', 'And', 'Or', 'Xor', 'Exchange', 'CompareExchange'].map((name) => () => methods(memory)[`atomic${name}`]?.('i64', 8, 0n, 0n)),
          () => memory.atomicLoad('i32', 0), () => memory.notify(0),
          () => memory.fill(0), () => memory.fill(0, 0, 0), () => memory.copyTo(heap), () => memory.equals(heap), () => memory.bytes(), () => memory.bytes(0, 0),
          () => memory.view(Uint8Array), () => memory.view(DataView), () => memory.copyOut(), () => memory.text(), () => memory.pin(),
          () => Manager.setMemory(memory, 0, 1, 0), () => Manager.zeroMemory(memory), () => Manager.createDirectByteBuffer(memory),
          () => Manager.copyMemory(memory, 0, heap, 0, 8), () => Manager.copyMemory(heap, 0, memory, 0, 0),
          () => Manager.compareMemory(heap, 0, memory, 0, 8), () => Manager.mismatch(memory, 0, heap, 0, 0), () => MemoryBlock.from(heap).equals(memory),
        ];
        for (const use of uses) refuses(t, use, code, `${way}: ${use}`);
        await t.throwsAsync(memory.lease(() => t.fail()), { code });
        await t.throwsAsync(memory.waitAsync(0, 0), { code });
        t.deepEqual([memory.id, memory.size, memory.requestedSize, memory.offset, memory.address, memory.allocator], facts);
        t.false(memory.isValid());
        t.regex(`${memory} ${inspect(memory)}`, /valid=false.*valid=false/);
        t.notThrows(() => [memory.label, memory.allocatedSize, memory.getAgeMs(), memory[Symbol.dispose]()]);
      }
    }
  });
}

test.serial('a forged this is refused by every method and getter', async (t) => {
  const memory = open('slab').allocate(64);
  const { prototype } = AllocatedMemory;
  const forged = [Object.create(prototype), Object.create(memory), { ...memory }, new Proxy(memory, {}), structuredClone(memory), Manager.allocateMemory(64), {}];
  let count = 0;
  for (const name of Reflect.ownKeys(prototype)) {
    if (name === 'constructor' || name === inspect.custom || name === 'lease' || name === 'waitAsync') continue;
    const { get, value } = Reflect.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor;
    for (const each of forged) refuses(t, () => Reflect.apply((get ?? value) as () => unknown, each, [0, 0]), 'ERR_INVALID_ARG_TYPE', String(name));
    count += 1;
  }
  for (const each of forged) await t.throwsAsync(Reflect.apply(prototype.waitAsync, each, [0, 0]), { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' });
  t.true(count >= 40, `${count}`);
  t.true(memory.isValid());
});

test.serial('a labelled one keeps its label, and ids are never used twice', (t) => {
  for (const type of TYPES) {
    const allocator = open(type);
    t.is(allocator.allocate(8, 'käse').label, 'käse');
    t.is(allocator.allocate(8).label, undefined);
    const ids = new Set<number>();
    for (let round = 0; round < 500; round += 1) {
      const memory = allocator.allocate(64);
      ids.add(memory.id);
      t.true(Number.isSafeInteger(memory.id) && memory.id > 0);
      memory.free();
      if (round % 50 === 0) allocator.reset();
    }
    t.is(ids.size, 500, type);
  }
});
