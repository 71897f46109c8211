// Properties of setMemory, zeroMemory, copyMemory, compareMemory and mismatch:
// - a copy is that of a copy through a temporary, in every mode and element size, overlapping either way, aligned or not, of any size
// - source, target, a and b are blocks, Buffers, TypedArrays of every kind, DataViews, ArrayBuffers, shared ones too; only what a view shows counts
// - compare is unsigned and decided by the first difference, whose index mismatch gives
// - a fill repeats a byte or a pattern, from the offset to the end of its range
// - a length of 0 does nothing while the offset is inside; what is not inside is ERR_OUT_OF_RANGE, and changes nothing
// - a mode, an element size or a swap length that does not exist is ERR_INVALID_ARG_VALUE; another type is ERR_INVALID_ARG_TYPE
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { AdvancedMemoryAllocator, CopyMode, DirectMemoryManager as Manager, MemoryBlock } from '../index.js';
import type { BytesLike, ElementSize } from '../index.js';
import { freeEverything } from './_settled.js';

const TYPE = 'ERR_INVALID_ARG_TYPE';
const VALUE = 'ERR_INVALID_ARG_VALUE';
const RANGE = 'ERR_OUT_OF_RANGE';
const MIB = 2 ** 20;

function refuses(t: ExecutionContext, act: () => unknown, code: string, about?: string): void {
  t.throws(act, { instanceOf: code === RANGE ? RangeError : TypeError, code }, about);
}

type How = readonly [mode: CopyMode, elementSize?: ElementSize];
const MODES: readonly How[] = [
  [CopyMode.NORMAL],
  [CopyMode.NON_TEMPORAL],
  [CopyMode.SWAP_ENDIAN],
  [CopyMode.SWAP_ENDIAN, 2],
  [CopyMode.SWAP_ENDIAN, 4],
  [CopyMode.SWAP_ENDIAN, 8],
  [CopyMode.SWAP_ENDIAN, 16],
];

/** Bytes in which every position differs from its neighbours, also 256 further on. */
function pattern(length: number, seed: number = 1): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => index * 7 + (index >> 8) * 13 + seed));
}

/** What a copy must give, by the book: through a temporary, each element reversed. */
function copied(bytes: Uint8Array, [mode, width = 8]: How): Uint8Array {
  const copy = Buffer.from(bytes);
  if (mode !== 'swap-endian') return copy;
  if (width !== 16) return width === 2 ? copy.swap16() : width === 4 ? copy.swap32() : copy.swap64();
  for (let at = 0; at < copy.length; at += width) copy.subarray(at, at + width).reverse();
  return copy;
}

test.afterEach.always('nothing stays', async (t) => {
  t.is(await freeEverything(), 0);
});

for (const how of MODES) {
  test.serial(`a copy ${how.join(' ')} of every length and misalignment is the naive one, and touches nothing around it`, (t) => {
    const source = MemoryBlock.from(pattern(5000));
    const target = Manager.allocateMemory(5000);
    const lengths = [...Array.from({ length: 20 }, (_, index) => 16 * index), 512, 1008, 4080, 4096];
    if (how[0] !== 'swap-endian') lengths.push(...Array.from({ length: 70 }, (_, index) => index), 255, 4095, 4999);
    for (const length of lengths) {
      for (const [from, to] of [[0, 0], [0, 1], [1, 0], [3, 5], [16, 8], [31, 64]] as const) {
        if (Math.max(from, to) + length > 5000) continue;
        target.fill(0xcc);
        Manager.copyMemory(source, from, target, to, length, ...how);
        const expected = Buffer.alloc(5000, 0xcc);
        expected.set(copied(source.bytes(from, length), how), to);
        if (!target.equals(expected)) t.fail(`${length} bytes from ${from} to ${to}`);
      }
    }
    t.true(source.equals(pattern(5000)));
  });

  test.serial(`a copy ${how.join(' ')} may overlap, either way, in blocks and in plain memory`, (t) => {
    for (const make of [() => MemoryBlock.from(pattern(3000)), () => pattern(3000)]) {
      for (const length of [16, 64, 320, 2000]) {
        for (const shift of [0, 1, 2, 7, 8, 15, 16, 17, 63, 64, 100, 500]) {
          for (const [from, to] of [[100, 100 + shift], [100 + shift, 100]] as const) {
            const memory = make();
            const expected = pattern(3000);
            expected.set(copied(expected.subarray(from, from + length), how), to);
            Manager.copyMemory(memory, from, memory, to, length, ...how);
            if (Manager.mismatch(memory, 0, expected, 0, 3000) !== -1) t.fail(`${length} bytes from ${from} to ${to}`);
          }
        }
      }
    }
    t.pass();
  });

  test.serial(`a copy ${how.join(' ')} of tens of MiB, apart and overlapping, is the naive one`, (t) => {
    const length = 33 * MIB;
    const bytes = Buffer.alloc(length + 64, pattern(65_521)); // a prime: no page like another
    const expected = copied(bytes.subarray(16, 16 + length), how);
    const target = Manager.allocateMemory(length + 64);
    Manager.copyMemory(bytes, 16, target, 5, length, ...how);
    t.is(Manager.mismatch(target, 5, expected, 0, length), -1);
    target.bytes().set(bytes);
    Manager.copyMemory(target, 16, target, 48, length, ...how);
    t.is(Manager.mismatch(target, 48, expected, 0, length), -1);
    t.is(Manager.mismatch(target, 0, bytes, 0, 48), -1);
  });
}

test.serial('swap-endian of 8 bytes is the default, as is a copy without a mode', (t) => {
  const source = pattern(16);
  const target = Buffer.alloc(16);
  Manager.copyMemory(source, 0, target, 0, 16);
  t.deepEqual(target, source);
  Manager.copyMemory(source, 0, target, 0, 16, 'swap-endian');
  t.deepEqual(target, Buffer.from(source).swap64());
});

const SHARED = { shared: true, plain: false };
/** Each kind of bytes over `[offset, offset + length)` of a buffer. */
const KINDS: readonly { readonly name: string; readonly over: (buffer: ArrayBuffer, offset: number, length: number) => BytesLike }[] = [
  ...Object.getOwnPropertyNames(globalThis)
    .filter((name) => /^(?:Big)?(?:Int|Uint|Float)\d+(?:Clamped)?Array$/.test(name))
    .map((name) => {
      const Kind = Reflect.get(globalThis, name) as Uint8ArrayConstructor;
      return { name, over: (buffer: ArrayBuffer, offset: number, length: number) => new Kind(buffer, offset, length / Kind.BYTES_PER_ELEMENT) };
    }),
  { name: 'Buffer', over: (buffer, offset, length) => Buffer.from(buffer, offset, length) },
  { name: 'DataView', over: (buffer, offset, length) => new DataView(buffer, offset, length) },
  { name: 'a subclass of Uint8Array', over: (buffer, offset, length) => new (class Own extends Uint8Array {})(buffer, offset, length) },
];

test.serial('every kind of view is there to be tested', (t) => {
  t.true(KINDS.length >= 14, KINDS.map(({ name }) => name).join());
});

for (const [where, shared] of Object.entries(SHARED)) {
  for (const { name, over } of KINDS) {
    test.serial(`${name} over ${where} memory is source, target, a and b; only its own part is touched`, (t) => {
      const buffer = (shared ? new SharedArrayBuffer(64) : new ArrayBuffer(64)) as ArrayBuffer;
      const all = new Uint8Array(buffer).fill(0xee);
      const view = over(buffer, 16, 32);
      const block = MemoryBlock.from(pattern(32));
      Manager.copyMemory(block, 0, view, 0, 32);
      t.deepEqual(Buffer.from(all), Buffer.concat([Buffer.alloc(16, 0xee), pattern(32), Buffer.alloc(16, 0xee)]));
      block.fill(0);
      Manager.copyMemory(view, 8, block, 1, 20);
      t.deepEqual(block.copyOut(0, 22), Buffer.from([0, ...pattern(32).subarray(8, 28), 0]));
      Manager.copyMemory(view, 0, view, 16, 16, 'swap-endian', 16);
      t.deepEqual(Buffer.from(all.subarray(32, 48)), Buffer.from(pattern(16).toReversed()));
      all[20] = 0xff;
      t.is(Manager.compareMemory(view, 4, block, 0, 1), 1);
      t.is(Manager.compareMemory(block, 0, view, 4, 1), -1);
      t.is(Manager.mismatch(view, 0, pattern(32), 0, 32), 4);
      refuses(t, () => Manager.copyMemory(view, 0, block, 0, 33), RANGE);
      refuses(t, () => Manager.copyMemory(block, 0, view, 1, 32), RANGE);
      refuses(t, () => Manager.mismatch(view, 33, block, 0, 0), RANGE);
      t.is(all[15], 0xee);
      t.is(all[48], 0xee);
    });
  }
}

test.serial('an ArrayBuffer is source, target, a and b as a whole', (t) => {
  const buffer = new ArrayBuffer(16);
  const block = MemoryBlock.from(pattern(16));
  Manager.copyMemory(block, 0, buffer, 0, 16);
  t.deepEqual(Buffer.from(buffer), pattern(16));
  Manager.copyMemory(buffer, 0, block, 8, 8);
  t.is(Manager.mismatch(buffer, 0, block, 0, 16), 8);
  t.is(Manager.compareMemory(block, 8, buffer, 0, 8), 0);
});

test.serial('bytes that were detached or cut off are empty, whatever shows them', (t) => {
  const block = Manager.allocateMemory(8);
  const cut = Reflect.construct(ArrayBuffer, [64, { maxByteLength: 128 }]) as ArrayBuffer & { resize(length: number): void };
  const gone = new ArrayBuffer(64);
  const views = [cut, gone].flatMap((buffer) => [new Uint8Array(buffer, 16, 8), new Float64Array(buffer, 16, 2), new DataView(buffer, 16, 8), Buffer.from(buffer, 16, 8)]);
  cut.resize(8);
  structuredClone(gone, { transfer: [gone] });
  for (const memory of [gone, ...views]) {
    const about = Object.prototype.toString.call(memory);
    refuses(t, () => Manager.copyMemory(memory, 0, block, 0, 1), RANGE, about);
    refuses(t, () => Manager.copyMemory(block, 0, memory, 0, 1), RANGE, about);
    refuses(t, () => Manager.compareMemory(block, 0, memory, 0, 1), RANGE, about);
    refuses(t, () => MemoryBlock.from(memory), RANGE, about);
    t.notThrows(() => Manager.copyMemory(memory, 0, block, 0, 0), about);
    t.is(Manager.mismatch(memory, 0, block, 0, 0), -1);
    t.false(block.equals(memory));
  }
});

test.serial('compare is unsigned, and the first difference decides, at every place of every length', (t) => {
  const [a, b] = [Manager.allocateMemory(300), Manager.allocateMemory(300)];
  t.is(Manager.compareMemory(Uint8Array.of(0x7f), 0, Uint8Array.of(0x80), 0, 1), -1);
  t.is(Manager.compareMemory(Int8Array.of(-1), 0, Int8Array.of(1), 0, 1), 1);
  for (const length of [...Array.from({ length: 70 }, (_, index) => index + 1), 128, 129, 255, 256, 300]) {
    for (const place of new Set([0, 1, 7, 8, 15, 16, 31, 32, 63, length - 17, length - 9, length - 2, length - 1])) {
      if (place < 0 || place >= length) continue;
      a.fill(0x55);
      b.fill(0x55);
      if (Manager.compareMemory(a, 0, b, 0, length) !== 0 || Manager.mismatch(a, 0, b, 0, length) !== -1) t.fail(`${length}`);
      a.setUint8(place, 0x80);
      b.setUint8(place, 0x7f);
      if (place + 1 < length) b.setUint8(length - 1, 0xff); // a later difference the other way
      if (Manager.compareMemory(a, 0, b, 0, length) !== 1 || Manager.compareMemory(b, 0, a, 0, length) !== -1) t.fail(`${place} of ${length}`);
      if (Manager.mismatch(a, 0, b, 0, length) !== place) t.fail(`mismatch at ${place} of ${length}`);
      if (Manager.compareMemory(a, 0, b, 0, place) !== 0) t.fail(`nothing beyond ${place} counts`);
    }
  }
  t.is(Manager.compareMemory(a, 0, a, 0, 300), 0);
});

test.serial('a pattern of 1, 2, 4, 8 or 16 bytes repeats from the offset on, is cut at the end, and touches nothing around it', async (t) => {
  using allocator = AdvancedMemoryAllocator.getInstance('patterns', 'arena', MIB);
  const memories = [Manager.allocateMemory(5000), allocator.allocate(5000)];
  for (const width of [1, 2, 4, 8, 16]) {
    const value = pattern(width, 3);
    for (const [offset, length] of [[0, 5000], [1, 4998], [7, 100], [16, 1], [33, 4096], [5, 0]] as const) {
      const expected = Buffer.alloc(5000, 0xcc);
      if (length > 0) expected.fill(value, offset, offset + length);
      for (const memory of memories) {
        memory.fill(0xcc);
        t.is(memory.fill(value, offset, length), memory);
        t.true(memory.equals(expected), `${width} bytes over ${length} at ${offset}`);
        memory.fill(0xcc);
        Manager.setMemory(memory, offset, length, new Uint8Array(value));
        t.true(memory.equals(expected));
        memory.fill(0xcc);
        await Manager.fillAsync(memory, offset, length, value);
        t.true(memory.equals(expected));
      }
    }
  }
  const large = Manager.allocateMemory(65 * MIB + 5);
  const expected = Buffer.alloc(65 * MIB + 5, 'offheap!');
  t.true(large.fill(Buffer.from('offheap!')).equals(expected), 'streamed');
  large.fill(0);
  await Manager.fillAsync(large, 0, large.size, Buffer.from('offheap!'));
  t.true(large.equals(expected), 'by several threads');
  for (const width of [0, 3, 5, 15, 17, 32]) refuses(t, () => Manager.setMemory(large, 0, 5, new Uint8Array(width)), VALUE, `${width} bytes`);
  for (const value of [new Uint16Array(1), [1], new ArrayBuffer(4), 'ab']) refuses(t, () => large.fill(value as never), TYPE);
  t.true(large.equals(expected), 'and nothing changed');
  large.free();
});

test.serial('around the length up to which JavaScript copies and fills by itself nothing changes but who does it', (t) => {
  const [SHORT, LONG] = [64 * 1024, 64 * 1024 + 1];
  for (const size of [SHORT, LONG, 200_000]) {
    const blocks = [MemoryBlock.from(pattern(size)), Manager.allocateMemory(size, 'page'), Manager.allocateMemory(100_000_000)];
    for (const [from, to] of [[0, 1], [1, 2], [2, 1], [1, 1]] as const) {
      for (const length of [SHORT, LONG].filter((count) => count <= size)) {
        const [source, target] = [blocks[from] as MemoryBlock, blocks[to] as MemoryBlock];
        const expected = source.copyOut(size - length, length);
        Manager.copyMemory(source, size - length, target, target.size - length, length);
        t.deepEqual(target.copyOut(target.size - length, length), expected, `${length} bytes of ${size}, ${from} to ${to}`);
        Manager.setMemory(target, target.size - length, length, 0xa5);
        t.is(target.copyOut(target.size - length, length).findIndex((byte) => byte !== 0xa5), -1);
        source.fill(pattern(16));
      }
    }
    for (const block of blocks) block.free();
  }
});

test.serial('set and zero write exactly their part, with values from −128 to 255', (t) => {
  const block = Manager.allocateMemory(200).fill(1);
  Manager.setMemory(block, 10, 5, 0xff);
  Manager.setMemory(block, 20, 5, -128);
  Manager.setMemory(block, 199, 1, 0);
  const expected = Buffer.alloc(200, 1).fill(0xff, 10, 15).fill(0x80, 20, 25).fill(0, 199);
  t.deepEqual(block.copyOut(), expected);
  for (const value of [-129, 256, 0.5, NaN, Infinity]) refuses(t, () => Manager.setMemory(block, 0, 1, value), RANGE);
  for (const value of ['1', null, undefined, 1n, {}]) refuses(t, () => Manager.setMemory(block, 0, 1, value as number), TYPE);
  t.deepEqual(block.copyOut(), expected);
  Manager.zeroMemory(block);
  t.deepEqual(block.copyOut(), Buffer.alloc(200));
  const large = Manager.allocateMemory(65 * MIB + 1).fill(0x5a);
  t.is(Manager.mismatch(large, 0, large, 1, 65 * MIB), -1);
  Manager.zeroMemory(large);
  t.deepEqual([large.getUint8(0), Manager.mismatch(large, 0, large, 1, 65 * MIB)], [0, -1]);
  for (const other of [Buffer.alloc(8), new ArrayBuffer(8), null, 'x']) {
    refuses(t, () => Manager.setMemory(other as never, 0, 1, 0), TYPE);
    refuses(t, () => Manager.zeroMemory(other as never), TYPE);
  }
});

test.serial('a length of 0 does nothing, up to the very end', (t) => {
  const block = MemoryBlock.from(pattern(10));
  const plain = pattern(10);
  for (const at of [0, 5, 10]) {
    t.notThrows(() => Manager.setMemory(block, at, 0, 9));
    t.notThrows(() => block.fill(9, at, 0));
    for (const how of MODES) {
      for (const [source, target] of [[block, block], [block, plain], [plain, block], [plain, plain]]) {
        t.notThrows(() => Manager.copyMemory(source as MemoryBlock, 10 - at, target as MemoryBlock, at, 0, ...how));
      }
    }
    t.is(Manager.compareMemory(block, at, plain, 10 - at, 0), 0);
    t.is(Manager.mismatch(plain, at, block, 10 - at, 0), -1);
  }
  t.deepEqual(block.copyOut(), pattern(10));
  t.deepEqual(plain, pattern(10));
});

test.serial('offsets and lengths that are not inside, or no integers, are refused by name and change nothing', (t) => {
  const block = MemoryBlock.from(pattern(10));
  const plain = pattern(20);
  const acts: readonly ((one: unknown, other: unknown, length: unknown) => unknown)[] = [
    (one, other, length) => Reflect.apply(Manager.copyMemory, Manager, [block, one, plain, other, length]),
    (one, other, length) => Reflect.apply(Manager.copyMemory, Manager, [plain, other, block, one, length, 'non-temporal']),
    (one, other, length) => Reflect.apply(Manager.compareMemory, Manager, [block, one, plain, other, length]),
    (one, other, length) => Reflect.apply(Manager.mismatch, Manager, [plain, other, block, one, length]),
    (one, _, length) => Reflect.apply(Manager.setMemory, Manager, [block, one, length, 0]),
  ];
  for (const act of acts) {
    for (const [one, length] of [[0, 11], [10, 1], [11, 0], [1, 10], [2 ** 53 - 1, 1], [2 ** 53 - 1, 2 ** 53 - 1], [2 ** 32, 1], [2 ** 31, 0]]) {
      refuses(t, () => act(one, 0, length), RANGE, `${one} ${length}`);
    }
    for (const bad of [-1, NaN, 0.5, 2 ** 53, Infinity]) {
      refuses(t, () => act(bad, 0, 1), RANGE);
      refuses(t, () => act(0, 0, bad), RANGE);
      if (act !== acts[4]) refuses(t, () => act(0, bad, 1), RANGE);
    }
    for (const bad of ['1', null, undefined, {}, 1n, [], true]) {
      refuses(t, () => act(bad, 0, 1), TYPE);
      refuses(t, () => act(0, 0, bad), TYPE);
      if (act !== acts[4]) refuses(t, () => act(0, bad, 1), TYPE);
    }
  }
  t.throws(() => Manager.copyMemory(block, 0, plain, 20, 1), { message: /"targetOffset"|"length"/ });
  t.throws(() => Manager.copyMemory(block, -1, plain, 0, 1), { message: /"sourceOffset"/ });
  t.throws(() => Manager.compareMemory(block, 0, plain, -1, 1), { message: /"bOffset"/ });
  t.true(block.equals(pattern(10)));
  t.deepEqual(plain, pattern(20));
});

test.serial('what is no block and no view is refused in every place', (t) => {
  const block = Manager.allocateMemory(8);
  for (const bad of [null, undefined, 0, 'bytes', {}, [1, 2], () => 1, Object.create(MemoryBlock.prototype), new Proxy(block, {}), { ...new Uint8Array(8) }]) {
    refuses(t, () => Reflect.apply(Manager.copyMemory, Manager, [bad, 0, block, 0, 1]), TYPE);
    refuses(t, () => Reflect.apply(Manager.copyMemory, Manager, [block, 0, bad, 0, 1]), TYPE);
    refuses(t, () => Reflect.apply(Manager.compareMemory, Manager, [bad, 0, block, 0, 1]), TYPE);
    refuses(t, () => Reflect.apply(Manager.mismatch, Manager, [block, 0, bad, 0, 1]), TYPE);
    refuses(t, () => Reflect.apply(Manager.copyMemory, Manager, [bad, 0, block, 0, 0]), TYPE, 'with length 0 too');
  }
});

test.serial('modes and element sizes are those of the list; a swap covers whole elements', (t) => {
  const [source, target] = [pattern(32), Buffer.alloc(32)];
  const copy = (...rest: unknown[]): unknown => Reflect.apply(Manager.copyMemory, Manager, [source, 0, target, 0, ...rest]);
  for (const mode of ['x', '', 'NORMAL', 'swap']) refuses(t, () => copy(8, mode), VALUE);
  for (const mode of [0, null, {}, true]) refuses(t, () => copy(8, mode), TYPE);
  for (const size of [0, 1, 3, 5, 6, 32, -8, NaN]) refuses(t, () => copy(8, 'swap-endian', size), VALUE);
  for (const size of ['8', null, 8n, {}]) refuses(t, () => copy(8, 'swap-endian', size), TYPE);
  for (const [length, size] of [[7, 8], [1, 2], [6, 4], [24, 16], [4, undefined]]) refuses(t, () => copy(length, 'swap-endian', size), VALUE);
  t.deepEqual(target, Buffer.alloc(32));
  for (const size of [2, 4, 8, 16]) t.notThrows(() => copy(32, 'swap-endian', size));
});
