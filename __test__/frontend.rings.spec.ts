// Places of rings that JavaScript hands out by itself (facade/handles/{front,loans}.ts). Without the front-end all of it holds the same:
// - requests of one size lie one behind the other, whoever hands them out, and so do those of other sizes between them
// - figures are exact at every moment, though nobody counts what was taken and what has ended
// - a free is refused of what is dead, of what is pinned, and of what is another ring's, and changes nothing then
// - another thread that comes, and a reset, end or take over what was handed out
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { AdvancedMemoryAllocator, AllocatedMemory } from '../index.js';
import { isLent } from '../facade/handles/table.js';
import { KIB, MIB, closeAfterEach, open, refuses } from './_allocators.js';
import { endAfterEach, start } from './_peer.js';

endAfterEach();
closeAfterEach();

const DOUBLE = 'ERR_OFFHEAP_DOUBLE_FREE';
const SLOTS = 2 ** 24;
const STEP = 64;
const room = (size: number): number => Math.ceil(size / STEP) * STEP;

/** Whether JavaScript handed it out and no record knows. */
const isHandedOut = ({ id }: AllocatedMemory): boolean => isLent(id % SLOTS, 2 * Math.floor(id / SLOTS) + 1);

/** So many of one size, which lie one behind the other. */
function row(t: ExecutionContext, ring: AdvancedMemoryAllocator, count: number, size: number): AllocatedMemory[] {
  const memories = Array.from({ length: count }, () => ring.allocate(size));
  for (const [index, memory] of memories.entries()) t.is(memory.offset, (memories[0] as AllocatedMemory).offset + index * room(size));
  return memories;
}

function holds(t: ExecutionContext, ring: AdvancedMemoryAllocator, memories: readonly AllocatedMemory[], about?: string): void {
  const requestedSize = memories.reduce((sum, { size }) => sum + size, 0);
  t.like(ring.getStats(), { allocatedBlocks: memories.length, requestedSize }, about);
}

/** Whether JavaScript hands out anything here. */
let handsOut = false;
test.before('until JavaScript hands places out', async (t) => {
  const ring = open('ring');
  // Not at once: first the system is asked whether it can stop an isolate that does so.
  for (let count = 0; count < 200 && !handsOut; count += 1) {
    await sleep(5);
    handsOut = row(t, ring, 10, 64).some(isHandedOut);
  }
  if (process.platform === 'linux') t.is(handsOut, process.env['OFFHEAP_FRONTEND'] !== 'off');
  ring.close();
});

test.serial('places of one size and of others between them lie one behind the other, and each has its bytes', (t) => {
  const ring = open('ring', 2 * MIB); // as large as no other here: its region was nobody's before
  const memories: AllocatedMemory[] = [];
  let next = 0;
  for (let count = 0; count < 600; count += 1) {
    const size = count % 100 === 99 ? 3000 : count % 100 > 60 ? 500 : 256;
    const memory = ring.allocate(size).fill(count & 255);
    t.is(memory.offset, next);
    t.is(memory.allocatedSize, room(size));
    next += room(size);
    memories.push(memory);
  }
  t.is(memories.some(isHandedOut), handsOut);
  t.true(memories.every((memory, index) => memory.isValid() && memory.getUint8(0) === (index & 255) && memory.getUint8(memory.size - 1) === (index & 255)));
  holds(t, ring, memories);
});

for (const [order, pick] of Object.entries({ 'in their order': () => 0, 'the newest first': (count: number) => count - 1, 'in any order': (count: number) => (count * 7919) % 13 % count })) {
  test.serial(`figures are exact after every step when places end ${order}`, (t) => {
    const ring = open('ring', 64 * KIB);
    const alive: AllocatedMemory[] = [];
    for (let count = 0; count < 700; count += 1) {
      // Sizes that take as much room are served from the same places; once in a while another.
      const memory = ring.tryAllocate(count % 150 === 149 ? 700 : 193 + ((count * 31) % 64));
      if (memory !== null) alive.push(memory);
      if (memory === null || alive.length > 20) ring.free(alive.splice(pick(alive.length), 1)[0] as AllocatedMemory);
      holds(t, ring, alive, `${count}`);
    }
    while (alive.length > 0) (alive.splice(pick(alive.length), 1)[0] as AllocatedMemory).free();
    t.like(ring.getStats(), { allocatedBlocks: 0, requestedSize: 0, allocatedSize: 0, freeSize: 64 * KIB });
  });
}

test.serial('a place is foreign to another ring, and ends by its own, once', (t) => {
  const [ring, other] = [open('ring'), open('ring')];
  const [mine, theirs] = [row(t, ring, 20, 256), row(t, other, 20, 256)];
  t.is([...mine, ...theirs].some(isHandedOut), handsOut);
  for (const memory of mine) refuses(t, () => other.free(memory), 'ERR_OFFHEAP_FOREIGN_BLOCK');
  for (const memory of theirs) refuses(t, () => ring.free(memory), 'ERR_OFFHEAP_FOREIGN_BLOCK');
  holds(t, ring, mine);
  holds(t, other, theirs);
  for (const memory of mine) ring.free(memory);
  for (const memory of mine) for (const act of [() => ring.free(memory), () => other.free(memory), () => memory.free()]) refuses(t, act, DOUBLE);
  holds(t, ring, []);
  holds(t, other, theirs);
  t.true(theirs.every((memory) => memory.isValid()));
});

test.serial('what is no size is refused whatever was served before, and takes nothing', (t) => {
  const ring = open('ring');
  for (let round = 0; round < 3; round += 1) {
    for (const size of [0, -1, 1.5, Number.NaN, 2 ** 53]) refuses(t, () => ring.allocate(size), 'ERR_OUT_OF_RANGE', `${size}`);
    for (const size of ['256', 256n, null, { valueOf: () => 256 }]) refuses(t, () => ring.allocate(size as never), 'ERR_INVALID_ARG_TYPE', String(size));
    refuses(t, () => ring.allocate(256, 7 as never), 'ERR_INVALID_ARG_TYPE');
    holds(t, ring, []);
    for (const memory of row(t, ring, 20, 256)) ring.free(memory);
  }
});

test.serial('what is no memory is refused by a ring', (t) => {
  const ring = open('ring');
  const memories = row(t, ring, 20, 256);
  for (const value of [undefined, null, 7, 'memory', {}, [], Object.create(memories[0] as AllocatedMemory), new Proxy(memories[0] as AllocatedMemory, {})]) {
    refuses(t, () => ring.free(value as never), 'ERR_INVALID_ARG_TYPE');
  }
  holds(t, ring, memories);
});

test.serial('a place that is pinned is not freed before the pin is dropped', (t) => {
  const ring = open('ring');
  const memories = row(t, ring, 20, 256);
  const pinned = memories[11] as AllocatedMemory;
  const pin = pinned.pin();
  for (const memory of memories) if (memory !== pinned) ring.free(memory);
  for (const act of [() => ring.free(pinned), () => pinned.free()]) refuses(t, act, 'ERR_OFFHEAP_IN_USE');
  holds(t, ring, [pinned]);
  pin[Symbol.dispose]();
  ring.free(pinned);
  refuses(t, () => ring.free(pinned), DOUBLE);
  holds(t, ring, []);
});

test.serial('a handle from before a reset ends nothing of what its slot holds afterwards', (t) => {
  const ring = open('ring');
  const old = row(t, ring, 30, 256);
  ring.reset();
  const memories = row(t, ring, 30, 256);
  t.true(memories.some((memory) => old.some(({ id }) => id % SLOTS === memory.id % SLOTS)), 'a slot is used again');
  for (const memory of old) for (const act of [() => ring.free(memory), () => memory.free()]) refuses(t, act, 'ERR_OFFHEAP_USE_AFTER_FREE');
  holds(t, ring, memories);
});

test.serial('what was handed out before another thread comes ends by its record, once', async (t) => {
  const ring = open('ring', MIB);
  const memories = row(t, ring, 30, 256);
  for (const memory of memories.splice(0, 5)) ring.free(memory);
  const peer = await start(ring.name, 'ring');
  t.like(await peer.get('stats'), { allocatedBlocks: 25, requestedSize: 25 * 256, allocatedSize: 25 * 256 });
  t.true(memories.every((memory) => memory.isValid()));
  for (const memory of memories) {
    ring.free(memory);
    refuses(t, () => ring.free(memory), DOUBLE);
  }
  t.like(await peer.get('stats'), { allocatedBlocks: 0, requestedSize: 0, allocatedSize: 0 });
  const next = row(t, ring, 20, 256);
  t.false(next.some(isHandedOut), 'a ring of two threads lends nothing');
  holds(t, ring, next);
});
