// Properties of memory operations on memory of allocators, of all six types:
// - copies within one region, to and from another, a block and a Uint8Array, fills and comparisons touch exactly their range, however often
// - what is freed, rewound, reset or closed is refused, and so is a range that ends behind the memory, though the region goes on
// - once the region's buffer went away, nothing of it is source, target, a or b any more, whether it was used before or not
import test from 'ava';
import { DirectMemoryManager as Manager } from '../index.js';
import type { AllocatedMemory, ArenaMark } from '../index.js';
import { KIB, MIB, TYPES, closeAfterEach, open, refuses } from './_allocators.js';

const ESCAPED = 'ERR_OFFHEAP_ESCAPED';
const DEAD = 'ERR_OFFHEAP_USE_AFTER_FREE';
const RANGE = 'ERR_OUT_OF_RANGE';
const OFTEN = 6;

closeAfterEach();

/** Bytes in which every position differs from its neighbours; for each seed others. */
function pattern(length: number, seed: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => index * 7 + (index >> 8) * 13 + seed));
}

/** Every operation on memory, as source, target, a or b. */
function actsOn(memory: AllocatedMemory, mate: AllocatedMemory): { readonly [name: string]: () => unknown } {
  return {
    'copy from': () => Manager.copyMemory(memory, 0, mate, 0, 8),
    'copy to': () => Manager.copyMemory(mate, 0, memory, 0, 8),
    'copy to a buffer': () => Manager.copyMemory(memory, 0, Buffer.alloc(8), 0, 8),
    'copy from a buffer': () => Manager.copyMemory(Buffer.alloc(8), 0, memory, 0, 8),
    'fill': () => Manager.setMemory(memory, 0, 8, 1),
    'fill with a pattern': () => Manager.setMemory(memory, 0, 8, new Uint8Array(4)),
    'compare': () => Manager.compareMemory(memory, 0, mate, 0, 8),
    'compare with': () => Manager.compareMemory(mate, 0, memory, 0, 8),
    'mismatch': () => Manager.mismatch(mate, 0, memory, 0, 8),
  };
}

for (const type of TYPES) {
  for (const isViewed of [false, true]) {
    const title = `${type}: ${isViewed ? 'viewed' : 'unviewed'} memory`;

    test.serial(`${title} is copied, filled and compared exactly, however often`, (t) => {
      const [allocator, elsewhere] = [open(type, 4 * MIB, 4 * KIB), open('slab', 4 * MIB)];
      const [before, a, b, after, far] = [allocator, allocator, allocator, allocator, elsewhere].map((owner) => owner.allocate(1000)) as [AllocatedMemory, AllocatedMemory, AllocatedMemory, AllocatedMemory, AllocatedMemory];
      const block = Manager.allocateMemory(1000);
      if (isViewed) for (const each of [a, far, block]) each.bytes();
      for (const each of [before, after]) each.fill(0xee);
      for (let turn = 0; turn < OFTEN; turn += 1) {
        for (const [from, to, length] of [[0, 0, 1000], [3, 5, 900], [999, 0, 1], [500, 498, 500]] as const) {
          for (const [source, target] of [[a, b], [b, a], [a, a], [a, far], [far, a], [a, block], [block, a]] as const) {
            const expected = pattern(1000, turn);
            Manager.copyMemory(pattern(1000, turn + 90), 0, target, 0, 1000);
            Manager.copyMemory(expected, 0, source, 0, 1000);
            const wanted = source === target ? Buffer.from(expected) : pattern(1000, turn + 90);
            expected.copy(wanted, to, from, from + length);
            Manager.copyMemory(source, from, target, to, length);
            const got = Buffer.alloc(1002, 0xaa);
            Manager.copyMemory(target, 0, got, 1, 1000);
            t.true(got.subarray(1, 1001).equals(wanted) && got[0] === 0xaa && got[1001] === 0xaa, `${length} bytes from ${from} to ${to}, turn ${turn}`);
            t.is(Manager.compareMemory(target, to, wanted, to, length), 0);
            if (source !== target) t.is(Manager.mismatch(source, from, target, to, length), -1);
          }
        }
        Manager.setMemory(a, 1, 998, turn + 1);
        Manager.setMemory(b, 1, 998, Uint8Array.of(turn + 1, turn + 1));
        for (const each of [a, b]) {
          each.setUint8(0, 0xcc);
          each.setUint8(999, 0xdd);
        }
        t.deepEqual([Manager.compareMemory(a, 0, b, 0, 1000), Manager.compareMemory(a, 0, b, 0, 20), a.getUint8(1), b.getUint8(998)], [0, 0, turn + 1, turn + 1]);
        b.setUint8(500, 0xff);
        t.deepEqual([Manager.compareMemory(a, 0, b, 0, 1000), Manager.compareMemory(b, 500, a, 500, 1), Manager.mismatch(a, 0, b, 0, 1000)], [-1, 1, 500]);
      }
      for (const each of [before, after]) t.true(each.equals(Buffer.alloc(1000, 0xee)), 'and nothing around it');
      block.free();
    });

    test.serial(`${title} is refused once it is dead, and where it ends`, (t) => {
      const allocator = open(type, 4 * MIB, 4 * KIB);
      const [memory, mate] = [allocator.allocate(100), allocator.allocate(100)];
      if (isViewed) memory.bytes();
      for (let turn = 0; turn < OFTEN; turn += 1) for (const act of Object.values(actsOn(memory, mate))) t.notThrows(act);
      mate.fill(0x55);
      for (const [offset, length] of [[0, 101], [1, 100], [100, 1], [-1, 2], [0.5, 1], [2 ** 32, 1]] as const) {
        refuses(t, () => Manager.copyMemory(memory, offset, mate, 0, length), RANGE);
        refuses(t, () => Manager.copyMemory(memory, 0, mate, offset, length), RANGE);
        refuses(t, () => Manager.copyMemory(memory, offset, Buffer.alloc(200), 0, length), RANGE);
        refuses(t, () => Manager.setMemory(mate, offset, length, 1), RANGE);
        refuses(t, () => Manager.compareMemory(memory, offset, mate, 0, length), RANGE);
      }
      t.true(mate.equals(Buffer.alloc(100, 0x55)), 'and nothing is changed by what is refused');
      memory.free();
      for (const [name, act] of Object.entries(actsOn(memory, mate))) refuses(t, act, DEAD, name);
      allocator.reset();
      const heir = allocator.allocate(100).fill(0x77);
      for (const [name, act] of Object.entries(actsOn(mate, heir))) refuses(t, act, DEAD, name);
      t.true(heir.equals(Buffer.alloc(100, 0x77)));
      allocator.close();
      for (const [name, act] of Object.entries(actsOn(heir, heir))) refuses(t, act, 'ERR_OFFHEAP_CLOSED', name);
    });

    test.serial(`${title} is refused once its region's buffer went away`, (t) => {
      const allocator = open(type, MIB, 4 * KIB);
      const [memory, mate] = [allocator.allocate(100).fill(0x22), allocator.allocate(100).fill(0x22)];
      if (!isViewed) for (const act of Object.values(actsOn(memory, mate))) act(); // by bytes that nobody sees; the view comes later
      const { buffer } = memory.bytes();
      if (isViewed) for (const act of Object.values(actsOn(memory, mate))) act();
      memory.fill(0x22);
      const received = new Uint8Array(structuredClone(buffer as ArrayBuffer, { transfer: [buffer as ArrayBuffer] }));
      const isGone = buffer.byteLength === 0;
      for (const [name, act] of Object.entries(actsOn(memory, mate))) {
        if (isGone) refuses(t, act, ESCAPED, name);
        else t.notThrows(act, 'copied, not taken');
      }
      t.true(Buffer.alloc(100, 0x22).equals(received.subarray(memory.offset, memory.offset + 100)), 'whoever has it keeps its bytes');
    });
  }
}

interface Marked {
  readonly mark: ArenaMark;
  readonly memory: AllocatedMemory;
}

test.serial('arena: memory of two levels, and of two arenas, is copied and compared with each other, in either order', (t) => {
  const [arena, other] = [open('arena', MIB), open('arena', MIB)];
  const [below, within, above, top] = [0, 1, 2, 3].map((rewinds) => {
    const mark = arena.mark();
    for (let turn = 0; turn < rewinds; turn += 1) arena.rewind(mark); // so that no level stands for another
    return { mark, memory: arena.allocate(100) };
  }) as [Marked, Marked, Marked, Marked];
  const all = [below, within, above, top].map(({ memory }) => memory).concat(other.allocate(100));
  for (const [from, source] of all.entries()) {
    for (const [to, target] of all.entries()) {
      if (from === to) continue;
      source.fill(16 * from + to + 1);
      Manager.copyMemory(source, 0, target, 0, 100);
      t.is(Manager.compareMemory(source, 0, target, 0, 100), 0, `${from} to ${to}`);
      target.setUint8(99, 0);
      t.deepEqual([Manager.mismatch(source, 0, target, 0, 100), Manager.compareMemory(target, 50, source, 50, 50)], [99, -1]);
      t.is(target.atomicAdd('i32', 0, 1), source.getInt32(0));
      t.is(Buffer.compare(source.copyOut(4, 90), target.copyOut(4, 90)), 0);
    }
  }
  arena.rewind(above.mark);
  Manager.copyMemory(below.memory, 0, within.memory, 0, 100);
  for (const { memory } of [above, top]) {
    for (const act of Object.values(actsOn(memory, below.memory))) refuses(t, act, DEAD);
    refuses(t, () => memory.atomicLoad('i32', 0), DEAD);
  }
});
