// Grants and pooled blocks that JavaScript hands out by itself (facade/handles/{front,loans}.ts), where that meets something else.
// Without the front-end all of it holds the same:
// - a grant that was freed before is handed out at its own offset, and is as good as any: its bytes, pins, label, end
// - a reset or close that is refused leaves what lies ready where it belongs
// - another thread's open, reset and close find free what lies ready here, and end what is live
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { DirectMemoryManager as Manager, MemoryPool } from '../index.js';
import type { AdvancedMemoryAllocator, AllocatedMemory, AllocatorType } from '../index.js';
import { isLent } from '../facade/handles/table.js';
import { FREEING, KIB, MIB, TYPES, closeAfterEach, open, refuses } from './_allocators.js';
import { endAfterEach, start } from './_peer.js';
import type { Given, Peer } from './_peer.js';

endAfterEach();
closeAfterEach();

const DOUBLE = 'ERR_OFFHEAP_DOUBLE_FREE';
const DEAD = 'ERR_OFFHEAP_USE_AFTER_FREE';
const IN_USE = 'ERR_OFFHEAP_IN_USE';
const SLOTS = 2 ** 24;
/** Those whose freed grants lie ready; of an arena a piece does. */
const LENDING: readonly AllocatorType[] = FREEING.filter((type) => type !== 'ring');

const slotOf = ({ id }: { id: number }): number => id % SLOTS;
/** Whether JavaScript handed it out and no record knows. */
const isHandedOut = (memory: AllocatedMemory): boolean => isLent(slotOf(memory), 2 * Math.floor(memory.id / SLOTS) + 1);

/** A grant that was freed, and granted again without a native call. */
function again(allocator: AdvancedMemoryAllocator, size: number): AllocatedMemory {
  allocator.free(allocator.allocate(size));
  return allocator.allocate(size);
}

const many = (count: number, act: (index: number) => AllocatedMemory): AllocatedMemory[] => Array.from({ length: count }, (_, index) => act(index));

const endOf = ({ offset, allocatedSize }: AllocatedMemory): number => offset + allocatedSize;

/** Live grants have room, lie apart, and are told apart by their ids. */
function areApart(t: ExecutionContext, memories: readonly AllocatedMemory[], about?: string): void {
  const inOrder = memories.toSorted((one, other) => one.offset - other.offset);
  t.true(inOrder.every((memory) => memory.isValid() && memory.allocatedSize >= memory.size), about);
  t.true(inOrder.every(({ offset }, index) => index === 0 || offset >= endOf(inOrder[index - 1] as AllocatedMemory)), about);
  t.is(new Set(memories.map(({ id }) => id)).size, memories.length, about);
}

/** Whether JavaScript hands out anything here. */
let handsOut = false;
test.before('until JavaScript hands grants out', async (t) => {
  const allocator = open('slab');
  // Not at once: first the system is asked whether it can stop an isolate that does so.
  for (let count = 0; count < 200 && !handsOut; count += 1) {
    await sleep(5);
    handsOut = isHandedOut(again(allocator, 64));
  }
  if (process.platform === 'linux') t.is(handsOut, process.env['OFFHEAP_FRONTEND'] !== 'off');
  allocator.close();
});

for (const type of LENDING) {
  test.serial(`${type}: a grant that was freed before is handed out where it begins`, (t) => {
    const allocator = open(type);
    const first = allocator.allocate(64);
    const spread = many(200, (index) => allocator.allocate(16 + (index % 10) * 100));
    for (const memory of spread) allocator.free(memory);
    const memories = many(200, (index) => allocator.allocate(16 + (index % 10) * 100));
    t.is(memories.some(isHandedOut), handsOut);
    areApart(t, [first, ...memories]);
    memories.forEach((memory, index) => memory.setInt32(memory.size - 4, index, false));
    const region = new DataView(first.bytes().buffer);
    for (const [index, memory] of memories.entries()) {
      const at = memory.offset + memory.size - 4;
      t.deepEqual([region.getInt32(at), memory.getInt32(memory.size - 4, false)], [index, index]);
      t.is(memory.address - BigInt(memory.offset), first.address - BigInt(first.offset));
    }
  });

  test.serial(`${type}: a label is given to what was freed last`, (t) => {
    const allocator = open(type);
    const other = again(allocator, 100);
    const freed = allocator.allocate(100);
    allocator.free(freed);
    const labelled = allocator.allocate(100, 'frame');
    t.deepEqual([labelled.offset, labelled.label], [freed.offset, 'frame']);
    t.deepEqual(Manager.getAllocatedBlocks().filter(({ id }) => id === labelled.id).map(({ label }) => label), ['frame']);
    labelled.free();
    const plain = allocator.allocate(100);
    t.deepEqual([plain.offset, plain.label], [freed.offset, undefined], 'and goes with it');
    areApart(t, [other, plain]);
    t.is(allocator.getStats().allocatedBlocks, 2);
  });

  test.serial(`${type}: memory that was handed out again is pinned, and freed once`, (t) => {
    const allocator = open(type);
    const memory = again(allocator, 100).fill(7);
    t.is(isHandedOut(memory), handsOut);
    const pin = memory.pin();
    const ends = [() => memory.free(), () => allocator.free(memory), () => memory[Symbol.dispose](), () => allocator.reset()];
    for (const end of ends) refuses(t, end, IN_USE);
    t.deepEqual([memory.isValid(), memory.getUint8(99), allocator.getStats().allocatedBlocks], [true, 7, 1]);
    pin[Symbol.dispose]();
    memory.free();
    for (const act of [() => memory.free(), () => allocator.free(memory)]) refuses(t, act, DOUBLE);
    t.notThrows(() => memory[Symbol.dispose]());
    for (const act of [() => memory.getUint8(0), () => memory.fill(1), () => memory.bytes(), () => memory.pin()]) refuses(t, act, DEAD);
    const next = allocator.allocate(100);
    t.deepEqual([next.offset === memory.offset, memory.isValid(), next.isValid()], [true, false, true]);
    refuses(t, () => memory.free(), DOUBLE);
    refuses(t, () => memory.setUint8(0, 1), DEAD);
    t.is(allocator.getStats().allocatedBlocks, 1);
  });

  test.serial(`${type}: memory that was handed out again is foreign to other allocators`, (t) => {
    const [allocator, other] = [open(type), open(type)];
    using pool = new MemoryPool(64);
    const [mine, theirs] = [again(allocator, 64).fill(1), again(other, 64).fill(2)];
    t.is(isHandedOut(mine) && isHandedOut(theirs), handsOut);
    const doors = [() => other.free(mine), () => allocator.free(theirs), () => Manager.freeMemory(mine as never), () => pool.release(mine as never)];
    for (const door of doors) refuses(t, door, 'ERR_OFFHEAP_FOREIGN_BLOCK');
    t.deepEqual([mine.getUint8(63), theirs.getUint8(63)], [1, 2]);
    for (const each of [allocator, other]) t.is(each.getStats().allocatedBlocks, 1);
    t.notThrows(() => allocator.free(mine));
  });
}

for (const type of ['buddy', 'pool', 'hybrid'] as const) {
  test.serial(`${type}: what was freed of more than 16 KiB is granted again, whole and apart, and up to 32,767 bytes by JavaScript`, (t) => {
    for (const size of [16 * KIB + 1, 16_639, 20_000, 32_767, 32_768, 65_535]) {
      const allocator = open(type, 8 * MIB);
      const freed = many(2, () => allocator.allocate(size).fill(9));
      for (const memory of freed) allocator.free(memory);
      const memories = many(4, (index) => allocator.allocate(size).fill(index + 1));
      t.is(memories.filter(isHandedOut).length, handsOut && size < 32 * KIB ? 2 : 0, `${size}`);
      areApart(t, memories, `${size}`);
      t.true(memories.every((memory, index) => memory.getUint8(0) === index + 1 && memory.getUint8(size - 1) === index + 1), `${size}`);
      t.like(allocator.getStats(), { allocatedBlocks: 4, requestedSize: 4 * size });
      for (const memory of memories) memory.free();
      for (const memory of [...freed, ...memories]) refuses(t, () => memory.free(), DOUBLE);
      t.true(allocator.allocate(16).isValid() && allocator.getStats().allocatedBlocks === 1);
      allocator.close();
    }
  });
}

for (const type of LENDING) {
  for (const act of ['reset', 'close'] as const) {
    test.serial(`${type}: a ${act} that is refused leaves freed grants to the requests of their size`, (t) => {
      const allocator = open(type);
      const kept = allocator.allocate(16);
      using pin = kept.pin();
      again(allocator, 512).free(); // where grants of 512 lie is known from now on
      refuses(t, () => allocator[act](), IN_USE);
      const [first, second, third] = many(3, () => allocator.allocate(64)) as [AllocatedMemory, AllocatedMemory, AllocatedMemory];
      [first, second].forEach((memory) => allocator.free(memory));
      third.fill(1);
      const big = allocator.allocate(512).fill(0xff);
      const live = [kept, third, big, allocator.allocate(64), allocator.allocate(512)];
      areApart(t, live);
      t.is(third.getUint8(63), 1);
      t.like(allocator.getStats(), { allocatedBlocks: 5, requestedSize: 16 + 2 * 64 + 2 * 512 });
      pin[Symbol.dispose]();
      t.notThrows(() => allocator[act]());
    });
  }
}

for (const type of TYPES) {
  test.serial(`${type}: a pool that opens after a refused reset has its blocks for itself`, (t) => {
    const allocator = open(type);
    const [kept, other] = [allocator.allocate(64), again(allocator, 64).fill(3)];
    using pin = kept.pin();
    refuses(t, () => allocator.reset(), IN_USE);
    using pool = new MemoryPool(64, undefined, 64);
    const blocks = Array.from({ length: 20 }, () => pool.acquire()).toSorted((one, next) => one.id - next.id);
    [0, 19, 1, 2, 3, 4, 5, 6, 7, 8, 9].forEach((index) => blocks[index]?.free()); // with a gap, as the words of an arena's piece might be
    const before = { ...pool.getStats() };
    t.like(before, { available: 11, inUse: 9, misses: 20 });
    areApart(t, [kept, other, ...many(4, () => allocator.allocate(64).fill(4))]);
    t.is(other.getUint8(63), 3);
    t.deepEqual({ ...pool.getStats() }, before);
    pin[Symbol.dispose]();
    t.notThrows(() => allocator.reset());
  });
}

/** Grants in turn until the region is full. */
function cutAll(allocator: AdvancedMemoryAllocator, size: number): AllocatedMemory[] {
  const all = [];
  for (let memory = allocator.tryAllocate(size); memory !== null; memory = allocator.tryAllocate(size)) all.push(memory);
  return all;
}

for (const alignment of [8, 64, 4096] as const) {
  test.serial(`arena: one with alignment ${alignment}, however small, is cut to its last byte`, (t) => {
    for (const total of [4096, 8192, 64 * KIB, MIB]) {
      const arena = open('arena', total, alignment);
      for (const size of [1, 100, 4096]) {
        const step = Math.ceil(size / alignment) * alignment;
        const all = cutAll(arena, size);
        t.is(all.length, Math.floor(total / step), `${total} ${size}`);
        t.true(all.every(({ offset }, index) => offset === index * step), `${total} ${size}`);
        t.true(all.every(({ address }) => Number(address % BigInt(alignment)) === 0));
        t.like(arena.getStats(), { allocatedBlocks: all.length, requestedSize: all.length * size, allocatedSize: all.length * step });
        arena.reset();
      }
    }
  });
}

test.serial('arena: what is held is the same, seen from here and from another thread', async (t) => {
  const arena = open('arena');
  const own = many(50, () => arena.allocate(64));
  for (const memory of own.slice(0, 20)) memory.free();
  const peer = await start(arena.name, 'arena');
  const held = { allocatedBlocks: 30, requestedSize: 30 * 64, allocatedSize: 50 * 64, freeSize: MIB - 50 * 64, largestFree: MIB - 50 * 64 };
  t.like(await peer.get('stats'), held);
  t.like(arena.getStats(), held);
  const theirs = await peer.get<Given>('allocate', 64, 5);
  t.is(theirs.offset, 50 * 64);
  t.true(arena.allocate(64).offset >= 51 * 64, 'behind the piece that the other thread cuts now, if it has one');
  await peer.get('reset');
  t.true(own.every((memory) => !memory.isValid()));
  t.like(await peer.get('stats'), { allocatedBlocks: 0, requestedSize: 0, allocatedSize: 0, freeSize: MIB });
  t.is(arena.allocate(64).offset, 0);
});

for (const type of TYPES) {
  test.serial(`${type}: who comes second finds free what the first had ready`, async (t) => {
    const allocator = open(type);
    const memories = many(40, (index) => allocator.allocate(64 + (index % 8) * 200)); // an object pool has no room for more sizes
    for (const memory of memories) allocator.free(memory);
    if (type === 'arena') allocator.reset(); // a piece of the next one lies ready
    if (type === 'arena') for (const memory of many(2, () => allocator.allocate(64))) memory.free();
    const peer = await start(allocator.name, type);
    const held = type === 'arena' ? 128 : 0;
    t.like(await peer.get('stats'), { allocatedBlocks: 0, requestedSize: 0, allocatedSize: held, freeSize: MIB - held });
    const whole = { buddy: MIB, slab: 16 * KIB, arena: MIB - held, ring: MIB, pool: MIB / 2, hybrid: MIB / 2 }[type];
    t.true(await peer.get('fits', whole));
    t.is(allocator.getStats().requestedSize, 0);
  });

  for (const end of ['reset', 'close'] as const) {
    test.serial(`${type}: a ${end} by another thread ends what was handed out again`, async (t) => {
      const allocator = open(type);
      const freed = many(30, () => allocator.allocate(64));
      for (const memory of freed) allocator.free(memory);
      const memories = many(10, () => allocator.allocate(64).fill(1)); // twenty lie ready
      const peer = await start(allocator.name, type);
      await peer.get(end);
      t.true(memories.every((memory) => !memory.isValid()));
      for (const memory of memories) refuses(t, () => memory.getUint8(0), end === 'close' ? 'ERR_OFFHEAP_CLOSED' : DEAD);
      if (end === 'close') return refuses(t, () => allocator.allocate(64), 'ERR_OFFHEAP_CLOSED');
      const theirs = new Set<number>();
      for (let count = 0; count < 20; count += 1) theirs.add((await peer.get<Given>('allocate', 64, 2)).offset);
      const next = many(50, () => again(allocator, 64).fill(3));
      areApart(t, next);
      t.true(theirs.size === 20 && next.every(({ offset }) => !theirs.has(offset)), 'no byte is granted twice');
      return t.is(allocator.getStats().allocatedBlocks, 70);
    });
  }
}

for (const type of ['buddy', 'slab', 'pool', 'hybrid'] as const) {
  test.serial(`${type}: of a full region one thread gets what another has ready`, async (t) => {
    const allocator = open(type);
    const room = cutAll(allocator, 1000).length;
    allocator.reset();
    const peer = await start(allocator.name, type);
    const theirs: Given[] = [];
    for (let count = 0; count < 12; count += 1) theirs.push(await peer.get<Given>('allocate', 1000, count));
    for (const { index } of theirs) await peer.get('free', index);
    const kept = await peer.get<Given>('allocate', 1000, 77);
    const all = cutAll(allocator, 1000);
    t.is(all.length, room - 1);
    areApart(t, all);
    for (const memory of all) memory.fill(1);
    t.deepEqual([await peer.get('read', kept.index, 0), await peer.get('read', kept.index, 999)], [77, 77]);
    t.like(await peer.get('stats'), { allocatedBlocks: room, requestedSize: room * 1000 });
    for (const memory of all) allocator.free(memory);
    await peer.get('free', kept.index);
    for (const stats of [allocator.getStats(), await peer.get('stats')]) {
      t.like(stats, { allocatedBlocks: 0, requestedSize: 0, allocatedSize: 0, freeSize: MIB });
    }
  });
}

test.serial("records that another thread's reset took from here serve one owner each", async (t) => {
  const [reset, other] = [open('buddy', 4 * MIB), open('slab', 4 * MIB)];
  const before = many(40, () => reset.allocate(64));
  const slots = new Set(before.map(slotOf));
  for (const memory of before) reset.free(memory); // they lie ready
  const peer = await startWith(reset, 'buddy');
  await peer.get('reset');
  await peer.exit(); // now the records are everybody's
  const first = many(3000, () => other.allocate(48));
  for (const memory of first.filter((each) => slots.has(slotOf(each)))) other.free(memory);
  const live = first.filter((memory) => memory.isValid());
  const mine = [reset.allocate(64).fill(9), ...many(1000, () => reset.allocate(48).fill(9))];
  live.push(...many(6000, () => other.allocate(48).fill(5)));
  areApart(t, live);
  areApart(t, mine);
  t.is(new Set([...live, ...mine].map(({ id }) => id)).size, live.length + mine.length);
  t.true(mine.every((memory) => memory.getUint8(47) === 9));
  t.deepEqual([reset.getStats().allocatedBlocks, other.getStats().allocatedBlocks], [mine.length, live.length]);
  t.notThrows(() => live.forEach((memory) => other.free(memory)));
  t.like(other.getStats(), { allocatedBlocks: 0, requestedSize: 0, allocatedSize: 0 });
});

/** A worker with an allocator of this thread. */
async function startWith(allocator: AdvancedMemoryAllocator, type: AllocatorType): Promise<Peer> {
  const peer = await start(`beside ${allocator.name}`, type);
  await peer.get('close');
  await peer.get('open', allocator.name, type, allocator.totalSize);
  return peer;
}

test.serial("an object pool's hits survive another thread's reset", async (t) => {
  const allocator = open('pool');
  for (let round = 0; round < 1000; round += 1) allocator.free(allocator.allocate(64));
  t.like(allocator.getStats(), { hits: 999, misses: 1 });
  const peer = await start(allocator.name, 'pool');
  t.like(await peer.get('stats'), { hits: 999, misses: 1 });
  await peer.get('reset');
  await peer.exit();
  t.like(allocator.getStats(), { hits: 999, misses: 1 });
  allocator.allocate(64);
  t.like(allocator.getStats(), { hits: 999, misses: 2 });
});
