// Properties of operations on blocks that were viewed and are used often, which JavaScript then copies and fills by their own bytes:
// - they give what a first use gives, for all of a block and for a part, for every pair of viewed and unviewed blocks
// - a block ends where its size does, though its chunk goes on behind it
// - when a buffer of a block went away, the block is source, target, a and b no more
// - a freed block is none either; the next owner of its memory is read and written by its own size
import test from 'ava';
import { DirectMemoryManager as Manager } from '../index.js';
import type { MemoryBlock } from '../index.js';
import { freeEverything } from './_settled.js';

const ESCAPED = 'ERR_OFFHEAP_ESCAPED';
const RANGE = 'ERR_OUT_OF_RANGE';
/** So often that every short way is taken; the first ones are not. */
const OFTEN = 8;
const SIZES = [1, 2, 4, 5, 8, 16, 17, 63, 64, 100, 1000, 1024, 4096, 5000, 65_536, 65_537, 300_000, 1_048_576, 1_048_577];

const PATTERN = Buffer.from(Uint8Array.from({ length: 1_048_577 + 2 * OFTEN }, (_, index) => index * 7 + (index >> 8) * 13));

/** Bytes in which every position differs from its neighbours, also 256 further on; for each seed others. */
function pattern(length: number, seed: number): Buffer {
  return Buffer.from(PATTERN.subarray(seed, seed + length));
}

function blockOf(size: number, isViewed: boolean): MemoryBlock {
  const block = Manager.allocateMemory(size).fill(0);
  if (isViewed) block.bytes();
  return block;
}

test.afterEach.always('nothing stays', async (t) => {
  t.is(await freeEverything(), 0);
});

for (const [isSourceViewed, isTargetViewed] of [[true, true], [true, false], [false, true], [false, false]] as const) {
  const names = [isSourceViewed, isTargetViewed].map((isViewed) => (isViewed ? 'a viewed' : 'an unviewed'));
  test.serial(`a copy of all of ${names[0]} block into ${names[1]} one is the same the first time and the ${OFTEN}th`, (t) => {
    for (const size of SIZES) {
      const source = blockOf(size, isSourceViewed);
      const targets = [blockOf(size, isTargetViewed), blockOf(size + 200, isTargetViewed)];
      for (const target of targets) target.fill(0xcc);
      for (let turn = 0; turn < OFTEN; turn += 1) {
        const bytes = pattern(size, turn);
        Manager.copyMemory(bytes, 0, source, 0, size);
        for (const target of targets) {
          const offset = target.size === size ? 0 : 1 + turn;
          const expected = target.copyOut();
          bytes.copy(expected, offset);
          Manager.copyMemory(source, 0, target, offset, size);
          t.true(target.equals(expected), `${size} bytes to ${offset}, turn ${turn}`);
          t.is(Manager.compareMemory(source, 0, target, offset, size), 0);
          const back = Buffer.alloc(size + 3, 0xee);
          Manager.copyMemory(source, 0, back, 2, size);
          t.true(back.equals(Buffer.concat([Buffer.from([0xee, 0xee]), bytes, Buffer.from([0xee])])));
        }
      }
      for (const block of [source, ...targets]) block.free();
    }
  });

  test.serial(`a part of ${names[0]} block is copied into ${names[1]} one, however often`, (t) => {
    const [source, target] = [blockOf(5000, isSourceViewed), blockOf(5000, isTargetViewed)];
    Manager.copyMemory(pattern(5000, 3), 0, source, 0, 5000);
    for (const [from, to, length] of [[0, 0, 4999], [1, 0, 4], [4999, 0, 1], [3, 4000, 1000], [0, 1, 4999], [17, 16, 100]] as const) {
      for (let turn = 0; turn < OFTEN; turn += 1) {
        target.fill(turn);
        const expected = Buffer.alloc(5000, turn);
        pattern(5000, 3).copy(expected, to, from, from + length);
        Manager.copyMemory(source, from, target, to, length);
        t.true(target.equals(expected), `${length} bytes from ${from} to ${to}, turn ${turn}`);
      }
    }
    source.free();
    target.free();
  });
}

test.serial('a copy within one block overlaps like one through a temporary, however often', (t) => {
  for (const isViewed of [true, false]) {
    const block = blockOf(200, isViewed);
    for (let turn = 0; turn < OFTEN; turn += 1) {
      for (const [from, to, length] of [[0, 0, 200], [0, 3, 197], [3, 0, 197], [10, 11, 4], [11, 10, 4]] as const) {
        Manager.copyMemory(pattern(200, turn), 0, block, 0, 200);
        const expected = pattern(200, turn);
        expected.copy(expected, to, from, from + length);
        Manager.copyMemory(block, from, block, to, length);
        t.true(block.equals(expected), `${length} bytes from ${from} to ${to}, viewed: ${isViewed}`);
      }
    }
    block.free();
  }
});

test.serial('all of a viewed block and a part of it are filled with exactly that byte, however often', (t) => {
  for (const size of SIZES) {
    const block = blockOf(size, true);
    for (let turn = 0; turn < OFTEN; turn += 1) {
      Manager.setMemory(block, 0, size, turn + 1);
      t.true(block.equals(Buffer.alloc(size, turn + 1)), `${size} bytes, turn ${turn}`);
      if (size < 3) continue;
      Manager.setMemory(block, 1, size - 2, 0xaa);
      t.true(block.equals(Buffer.alloc(size, 0xaa).fill(turn + 1, 0, 1).fill(turn + 1, size - 1)));
    }
    block.free();
  }
});

test.serial('a block that is used often ends where its size does, though its chunk goes on', (t) => {
  const [one, other] = [blockOf(100, true), blockOf(100, true)];
  t.true(one.actualSize > 100);
  for (let turn = 0; turn < OFTEN; turn += 1) {
    Manager.setMemory(one, 0, 100, turn);
    Manager.setMemory(other, 0, 100, 0xff);
    for (const length of [101, one.actualSize, one.actualSize + 1]) {
      t.throws(() => Manager.copyMemory(one, 0, other, 0, length), { instanceOf: RangeError, code: RANGE });
      t.throws(() => Manager.setMemory(other, 0, length, 1), { instanceOf: RangeError, code: RANGE });
      t.throws(() => Manager.compareMemory(one, 0, other, 0, length), { instanceOf: RangeError, code: RANGE });
      t.throws(() => Manager.copyMemory(one, 0, Buffer.alloc(200), 0, length), { instanceOf: RangeError, code: RANGE });
    }
    for (const offset of [1, 100, -1, 0.5, NaN, 2 ** 32]) {
      t.throws(() => Manager.copyMemory(one, 0, other, offset, 100), { instanceOf: RangeError, code: RANGE }, String(offset));
      t.throws(() => Manager.copyMemory(one, offset, other, 0, 100), { instanceOf: RangeError, code: RANGE }, String(offset));
    }
    t.true(other.equals(Buffer.alloc(100, 0xff)), 'and nothing is changed by what is refused');
    Manager.copyMemory(one, 0, other, 0, 100);
    t.true(other.equals(one));
  }
  one.free();
  other.free();
});

test.serial('a block whose buffer went away after it was used often is source, target, a and b no more', (t) => {
  for (const isExact of [false, true]) {
    for (const size of [3, 64, 100, 5000]) {
      const [block, mate] = [blockOf(size, true), blockOf(size, true)];
      const { buffer } = isExact ? { buffer: block.toArrayBuffer() } : block.bytes();
      for (let turn = 0; turn < OFTEN; turn += 1) {
        Manager.setMemory(block, 0, size, 0x22);
        Manager.copyMemory(block, 0, mate, 0, size);
        Manager.copyMemory(mate, 0, block, 0, size);
      }
      const received = new Uint8Array(structuredClone(buffer as ArrayBuffer, { transfer: [buffer as ArrayBuffer] }));
      t.is(received[0], 0x22);
      mate.fill(0x33);
      const acts = [
        () => Manager.copyMemory(block, 0, mate, 0, size),
        () => Manager.copyMemory(mate, 0, block, 0, size),
        () => Manager.copyMemory(block, 0, Buffer.alloc(size), 0, size),
        () => Manager.copyMemory(mate, 0, block, 1, 1),
        () => Manager.setMemory(block, 0, size, 1),
        () => Manager.compareMemory(block, 0, mate, 0, size),
        () => Manager.mismatch(mate, 0, block, 0, size),
      ];
      if (buffer.byteLength === 0) for (const act of acts) t.throws(act, { code: ESCAPED }, `${size} bytes: ${act.toString()}`);
      else for (const act of acts) t.notThrows(act, 'copied, not taken');
      t.true(Buffer.alloc(size, 0x22).equals(received.subarray(0, size)), 'whoever has it keeps its bytes');
      block.free();
      mate.free();
    }
  }
});

test.serial('a freed block is refused after it was used often, and the next owner of its memory is used by its own size', (t) => {
  const mate = blockOf(100, true);
  for (let turn = 0; turn < OFTEN; turn += 1) {
    for (const size of [100, 97, 110, 112]) {
      const block = blockOf(size, true);
      const common = Math.min(size, 100);
      for (let use = 0; use < OFTEN; use += 1) {
        Manager.copyMemory(pattern(size, use), 0, block, 0, size);
        Manager.copyMemory(block, 0, mate, 0, common);
        t.deepEqual(mate.copyOut(0, common), pattern(size, use).subarray(0, common));
      }
      block.free();
      for (const act of [
        () => Manager.copyMemory(block, 0, mate, 0, common),
        () => Manager.copyMemory(mate, 0, block, 0, common),
        () => Manager.setMemory(block, 0, size, 1),
        () => Manager.compareMemory(block, 0, mate, 0, common),
      ]) t.throws(act, { code: 'ERR_OFFHEAP_USE_AFTER_FREE' });
    }
  }
  mate.free();
});
