// Properties of the contents of a MemoryBlock (its life is in block.life.spec.ts):
// - a live block tells its size, address, alignment and label; ids are never reused
// - accessors of all ten types, in both byte orders, do what DataView does, on memory with and without views
// - an access outside the block, or with a value of the wrong type, is refused and changes nothing
// - fill, copyTo, equals, copyOut, text and from do what the contract says at both ends of the block
// - no argument runs code of its own
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { DirectMemoryManager as Manager, MemoryBlock } from '../index.js';
import { freeEverything } from './_settled.js';

const TYPE = 'ERR_INVALID_ARG_TYPE';
const VALUE = 'ERR_INVALID_ARG_VALUE';
const RANGE = 'ERR_OUT_OF_RANGE';

type Methods = { readonly [name: string]: (...args: readonly unknown[]) => unknown };
const methods = (target: object): Methods => target as unknown as Methods;

/** Expects the class that belongs to a code. */
function refuses(t: ExecutionContext, act: () => unknown, code: string, about?: string): void {
  const instanceOf = code === RANGE ? RangeError : TypeError;
  t.throws(act, { instanceOf, code }, about);
}

const bomb = (): never => {
  throw new Error('user code ran');
};
const NO_NUMBERS: readonly unknown[] = ['8', null, {}, [1], 8n, true, Symbol('8'), Object(8), { valueOf: bomb, toString: bomb }];
const NO_OFFSETS = [-1, NaN, 0.5, 2 ** 53, Infinity, -Infinity];

test.afterEach.always('nothing stays', async (t) => {
  t.is(await freeEverything(), 0);
  t.is(Manager.getMemoryStats().currentAllocated, 0);
});

test.serial('a live block tells its size, address, alignment and label, and that it is not freed', (t) => {
  const plain = Manager.allocateMemory(100);
  t.deepEqual([plain.size, plain.alignment, plain.label, plain.freed, plain.freedTimestamp], [100, 'word', undefined, false, 0]);
  t.true(plain.isValid());
  t.true(plain.actualSize >= 100);
  t.true(plain.address > 0n);
  t.is(plain.address % 8n, 0n);
  const labelled = Manager.allocateMemory(5000, 4096, { label: 'käse \u{1f9c0}' });
  t.deepEqual([labelled.size, labelled.alignment, labelled.label], [5000, 4096, 'käse \u{1f9c0}']);
  t.is(Manager.allocateMemory(1, 'none', { label: '' }).label, undefined);
  t.throws(() => Object.assign(plain, { size: 5 }), { instanceOf: TypeError });
});

test.serial('ids are positive integers, and no id comes twice, though memory does', (t) => {
  const ids = new Set<number>();
  const addresses = new Set<bigint>();
  let block = Manager.allocateMemory(64);
  for (let round = 0; round < 5000; round += 1) {
    ids.add(block.id);
    addresses.add(block.address);
    if (round % 3 === 0) block = Manager.reallocateMemory(block, 64 + (round % 2));
    else {
      block.free();
      block = Manager.allocateMemory(64);
    }
  }
  t.is(ids.size, 5000);
  t.true(addresses.size < 100);
  for (const id of ids) t.true(Number.isSafeInteger(id) && id > 0);
});

test.serial('a hundred thousand live blocks are told apart', (t) => {
  const blocks = Array.from({ length: 100_000 }, (_, index) => {
    const block = Manager.allocateMemory(8);
    block.setUint32(4, index);
    return block;
  });
  t.is(new Set(blocks.map((block) => block.id)).size, blocks.length);
  t.is(new Set(blocks.map((block) => block.address)).size, blocks.length);
  t.is(blocks.findIndex((block, index) => block.getUint32(4) !== index), -1);
  t.is(Manager.freeAllMemory(), blocks.length);
  t.false(blocks.some((block) => block.isValid()));
});

const MORE_THAN_THE_TYPE = [0, -0, 1, -1, 127, 128, 255, 256, -128, -129, 65535, 65536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, -(2 ** 31) - 1];
const FRACTIONS = [1.9, -1.9, NaN, Infinity, -Infinity, 2 ** 53, 1e300, 5e-324, Math.PI];
const BIGINTS = [0n, 1n, -1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, -(2n ** 63n) - 1n, 3n ** 80n];
const ACCESSORS = [
  { type: 'Int8', width: 1 },
  { type: 'Uint8', width: 1 },
  { type: 'Int16', width: 2 },
  { type: 'Uint16', width: 2 },
  { type: 'Int32', width: 4 },
  { type: 'Uint32', width: 4 },
  { type: 'Float32', width: 4 },
  { type: 'Float64', width: 8 },
  { type: 'BigInt64', width: 8 },
  { type: 'BigUint64', width: 8 },
];

const isBig = (type: string): boolean => type.startsWith('Big');
const KINDS: readonly { name: string; make: () => MemoryBlock }[] = [
  { name: 'without a view', make: () => Manager.allocateMemory(37) },
  { name: 'with views', make: () => touched(Manager.allocateMemory(37)) },
  { name: 'with views, of a whole class', make: () => touched(Manager.allocateMemory(64)) },
  { name: 'that had views in its last life', make: relived },
  { name: 'of whole pages', make: () => Manager.allocateMemory(70_000) },
];

function touched(block: MemoryBlock): MemoryBlock {
  block.toArrayBuffer();
  return block;
}

function relived(): MemoryBlock {
  touched(Manager.allocateMemory(4001)).free();
  return Manager.allocateMemory(4001);
}

for (const { name, make } of KINDS) {
  test.serial(`accessors agree with DataView in both byte orders, on memory ${name}`, (t) => {
    const block = make().fill(0xa5);
    const { size } = block;
    const judge = new DataView(new ArrayBuffer(size));
    new Uint8Array(judge.buffer).fill(0xa5);
    const places = [0, 1, 2, 3, 7, 8, size - 8];
    for (const { type, width } of ACCESSORS) {
      for (const offset of [...places, size - width]) {
        for (const value of isBig(type) ? BIGINTS : [...MORE_THAN_THE_TYPE, ...FRACTIONS]) {
          for (const little of [true, false]) {
            methods(block)[`set${type}`]?.(offset, value, little);
            methods(judge)[`set${type}`]?.(offset, value, little);
            for (const reader of ACCESSORS.filter((accessor) => accessor.width === width)) {
              for (const order of [true, false]) {
                const read = methods(block)[`get${reader.type}`]?.(offset, order);
                if (!Object.is(read, methods(judge)[`get${reader.type}`]?.(offset, order))) t.fail(`${type} ${offset} ${value} ${little} ${reader.type}`);
              }
            }
          }
        }
      }
      t.true(block.copyOut().equals(Buffer.from(judge.buffer)), type);
    }
  });
}

test.serial('copyOut and text give the bytes of every part, short and long, viewed or not, and later writes do not reach the copy', (t) => {
  for (const [viewed, size] of [[false, 200], [true, 200], [false, 9000], [true, 9000], [false, 70_000]] as const) {
    const bytes = Buffer.from(Array.from({ length: size }, (_, index) => 32 + ((index * 7) % 95)));
    const block = MemoryBlock.from(bytes);
    if (viewed) block.bytes();
    for (const length of [0, 1, 63, 64, 65, 4096, 16_383, 16_384, 16_385, size]) {
      for (const offset of [0, 1, 13, size - length]) {
        if (offset < 0 || offset + length > size) continue;
        const copy = block.copyOut(offset, length);
        t.true(copy.equals(bytes.subarray(offset, offset + length)), `${length} from ${offset} of ${size}`);
        t.is(copy.buffer.byteLength, length, 'a buffer of its own');
        t.is(block.text(offset, length), bytes.toString('utf8', offset, offset + length));
        block.fill(0);
        t.true(copy.equals(bytes.subarray(offset, offset + length)));
        block.setUint8(0, 1);
        Manager.copyMemory(bytes, 0, block, 0, size);
      }
    }
    block.free();
    t.throws(() => block.copyOut(0, 8), { code: 'ERR_OFFHEAP_USE_AFTER_FREE' });
  }
});

test.serial('accessors are little-endian unless told otherwise', (t) => {
  const block = Manager.allocateMemory(8);
  for (const { type } of ACCESSORS.slice(2)) {
    const one = isBig(type) ? 1n : 1;
    for (const [order, little] of [[undefined, true], [false, false], [0, false], [1, true]] as const) {
      methods(block)[`set${type}`]?.(0, one, ...(order === undefined ? [] : [order]));
      t.is(methods(block)[`get${type}`]?.(0, ...(order === undefined ? [] : [order])), one);
      t.is(methods(block)[`get${type}`]?.(0, little), one, `${type} ${order}`);
    }
  }
});

test.serial('an access that is not wholly inside is refused, at each end and past every number', (t) => {
  for (const size of [1, 7, 8, 100]) {
    const block = Manager.allocateMemory(size).fill(7);
    for (const { type, width } of ACCESSORS) {
      const value = isBig(type) ? 0n : 0;
      for (const offset of [size - width + 1, size, size + 1, ...NO_OFFSETS, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
        refuses(t, () => methods(block)[`get${type}`]?.(offset), RANGE, `get${type}(${offset}) of ${size}`);
        refuses(t, () => methods(block)[`set${type}`]?.(offset, value), RANGE, `set${type}(${offset}) of ${size}`);
      }
      for (const offset of [...NO_NUMBERS, undefined]) {
        refuses(t, () => methods(block)[`get${type}`]?.(offset), TYPE);
        refuses(t, () => methods(block)[`set${type}`]?.(offset, value), TYPE);
      }
      if (size >= width) t.notThrows(() => methods(block)[`get${type}`]?.(-0));
    }
    t.deepEqual(block.copyOut(), Buffer.alloc(size, 7));
  }
});

test.serial('setters take a number, or a bigint where 64 bits are due, and nothing else', (t) => {
  const block = Manager.allocateMemory(16).fill(7);
  for (const { type } of ACCESSORS) {
    for (const value of [...NO_NUMBERS, undefined, ...(isBig(type) ? [1, NaN] : [])]) {
      if (isBig(type) && typeof value === 'bigint') continue;
      refuses(t, () => methods(block)[`set${type}`]?.(0, value), TYPE, type);
    }
  }
  t.deepEqual(block.copyOut(), Buffer.alloc(16, 7));
});

test.serial('fill covers the given part, to the end by default, and gives the block', (t) => {
  const block = Manager.allocateMemory(10);
  t.is(block.fill(1), block);
  block.fill(-1, 3).fill(2, 5, 2).fill(200, 10).fill(9, 4, 0).fill(-128, 9, 1);
  t.deepEqual([...block.bytes()], [1, 1, 1, 255, 255, 2, 2, 255, 255, 128]);
  for (const value of [-129, 256, 1.5, NaN, Infinity]) refuses(t, () => block.fill(value), RANGE);
  for (const value of [...NO_NUMBERS, undefined]) refuses(t, () => methods(block)['fill']?.(value), TYPE);
  t.deepEqual([...block.bytes()], [1, 1, 1, 255, 255, 2, 2, 255, 255, 128]);
});

test.serial('offsets and lengths of fill, bytes, copyOut, text, copyTo and createDirectByteBuffer stay inside', (t) => {
  const block = Manager.allocateMemory(10).fill(7);
  const target = Buffer.alloc(100);
  const acts: readonly ((offset?: unknown, length?: unknown) => unknown)[] = [
    (...range) => methods(block)['fill']?.(1, ...range),
    (...range) => methods(block)['bytes']?.(...range),
    (...range) => methods(block)['copyOut']?.(...range),
    (...range) => methods(block)['text']?.(...range),
    (...range) => methods(block)['copyTo']?.(target, 0, ...range),
    (...range) => Reflect.apply(Manager.createDirectByteBuffer, Manager, [block, ...range]),
  ];
  for (const act of acts) {
    for (const [offset, length] of [[0, 10], [10, 0], [0, 0], [9, 1], [10, undefined], [undefined, 3]]) t.notThrows(() => act(offset, length));
    for (const [offset, length] of [[0, 11], [10, 1], [11, 0], [11, undefined], [5, 6], [2 ** 53 - 1, 2 ** 53 - 1], [1, 2 ** 53 - 1]]) {
      refuses(t, () => act(offset, length), RANGE, `${act} ${offset} ${length}`);
    }
    for (const bad of NO_OFFSETS) {
      refuses(t, () => act(bad), RANGE);
      refuses(t, () => act(bad, 1), RANGE);
      refuses(t, () => act(0, bad), RANGE);
    }
    for (const bad of NO_NUMBERS) {
      refuses(t, () => act(bad), TYPE, `${act} ${typeof bad}`);
      refuses(t, () => act(bad, 1), TYPE);
      if (bad !== null) refuses(t, () => act(0, bad), TYPE);
    }
  }
  t.is(block.size, 10);
});

test.serial('an offset whose valueOf frees the block is refused, and never asked', (t) => {
  const block = Manager.allocateMemory(10);
  let asked = 0;
  const offset = { valueOf: () => (block.free(), (asked += 1)) };
  for (const name of ['fill', 'bytes', 'copyOut', 'text', 'copyTo', 'view', 'getInt8', 'setInt8']) {
    const first = { fill: [1], copyTo: [Buffer.alloc(10), 0], view: [Uint8Array] }[name] ?? [];
    refuses(t, () => methods(block)[name]?.(...first, offset), TYPE, name);
  }
  refuses(t, () => Reflect.apply(Manager.createDirectByteBuffer, Manager, [block, offset]), TYPE);
  t.is(asked, 0);
  t.true(block.isValid());
});

test.serial('copyTo copies to blocks and views, to the end by default, also onto itself', (t) => {
  const block = MemoryBlock.from(Uint8Array.from({ length: 10 }, (_, index) => index));
  const other = Manager.allocateMemory(12).fill(99);
  block.copyTo(other);
  block.copyTo(other, 11, 3, 1);
  t.deepEqual([...other.bytes()], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 99, 3]);
  const words = new Uint16Array(2);
  block.copyTo(words, 1, 4, 3);
  t.deepEqual([...new Uint8Array(words.buffer)], [0, 4, 5, 6]);
  block.copyTo(block, 2, 0, 8);
  t.deepEqual([...block.bytes()], [0, 1, 0, 1, 2, 3, 4, 5, 6, 7]);
  block.copyTo(block, 0, 2, 8);
  t.deepEqual([...block.bytes()], [0, 1, 2, 3, 4, 5, 6, 7, 6, 7]);
  refuses(t, () => block.copyTo(Buffer.alloc(9)), RANGE);
  refuses(t, () => block.copyTo(other, 3), RANGE);
  for (const bad of [null, undefined, 1, 'x', {}, [1, 2]]) refuses(t, () => methods(block)['copyTo']?.(bad), TYPE);
});

test.serial('equals compares size and bytes with blocks and views of any kind', (t) => {
  const block = MemoryBlock.from(Buffer.from('12345678'));
  t.true(block.equals(block));
  t.true(block.equals(MemoryBlock.from(block.copyOut(), 'page')));
  t.true(block.equals(Buffer.from('12345678')));
  t.true(block.equals(new DataView(block.copyOut().buffer)));
  t.true(block.equals(Uint8Array.from(block.bytes()).buffer));
  t.true(block.equals(new BigUint64Array(block.copyOut().buffer)));
  t.false(block.equals(Buffer.from('12345679')));
  t.false(block.equals(Buffer.from('1234567')));
  t.false(block.equals(Buffer.from('123456789')));
  for (const bad of [null, undefined, '12345678', {}, [1]]) refuses(t, () => methods(block)['equals']?.(bad), TYPE);
});

test.serial('copyOut and text are copies that outlive the block', (t) => {
  const block = MemoryBlock.from(Buffer.from('grüße, \u{1f30d}'));
  const copy = block.copyOut(0, 5);
  t.true(Buffer.isBuffer(copy));
  t.is(copy.buffer.byteLength, 5);
  copy[0] = 0x47;
  t.is(block.text(), 'grüße, \u{1f30d}');
  t.is(block.text(2, 2), 'ü');
  t.is(block.text(0, 2, 'latin1'), 'gr');
  t.is(block.text(0, 2, 'hex'), '6772');
  t.is(block.text(0, 0), '');
  t.is(block.text(block.size - 2), '\ufffd\ufffd', 'half a character');
  for (const bad of ['', 'utf9', 'UTF-8 ']) refuses(t, () => methods(block)['text']?.(0, 1, bad), VALUE);
  for (const bad of [null, 8, {}]) refuses(t, () => methods(block)['text']?.(0, 1, bad), TYPE);
  block.free();
  t.is(copy.toString(), 'Grü\ufffd');
});

test.serial('from copies bytes of any kind, only those that the view shows', (t) => {
  const bytes = Uint8Array.from({ length: 32 }, (_, index) => index + 1);
  const views = [bytes.subarray(8, 24), Buffer.from(bytes.buffer, 8, 16), new DataView(bytes.buffer, 8, 16), new Float64Array(bytes.buffer, 8, 2)];
  for (const view of views) {
    const block = MemoryBlock.from(view, 'cache-line', { label: 'part' });
    t.deepEqual([block.size, block.alignment, block.label], [16, 'cache-line', 'part']);
    t.deepEqual(block.copyOut(), Buffer.from(bytes.subarray(8, 24)));
    block.fill(0);
  }
  t.is(bytes[8], 9, 'a copy');
  t.is(MemoryBlock.from(bytes.buffer).size, 32);
  for (const empty of [new Uint8Array(0), new ArrayBuffer(0), Buffer.alloc(0)]) refuses(t, () => MemoryBlock.from(empty), RANGE);
  for (const bad of [null, undefined, 8, 'x', {}, [1], MemoryBlock.from(bytes)]) refuses(t, () => MemoryBlock.from(bad as never), TYPE);
  refuses(t, () => MemoryBlock.from(bytes, 3), VALUE);
});

test.serial('from leaves nothing behind when an option takes the bytes away', (t) => {
  const bytes = new Uint8Array(64);
  const options = {
    get zeroed(): boolean {
      structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      return false;
    },
  };
  refuses(t, () => MemoryBlock.from(bytes, 'word', options), RANGE);
  t.is(Manager.getMemoryStats().activeBlocks, 0);
});
