// Ours beside the peers of the JVM: what benchmark/jvm's classes do, in the same order, with the same sizes. Each loop writes a first byte
// and stores the handle, as theirs do, so that it is really made.
import { AdvancedMemoryAllocator, DirectMemoryManager, MemoryPool } from 'offheap';
import { expect, expectSame, expectStamps, summed, times } from './_checks.mjs';
import { allocateMany, expectApart, expectBalanced, totals } from './_pairs.mjs';
import { ALIVE, ARENA_ROUND, IN_FLIGHT, KIB, MIB, PATTERN_LENGTH, pattern, xorshift } from './_scenarios.mjs';

const KEPT_MASK = 63;
let opened = 0;

function open(type, total) {
  opened += 1;
  return AdvancedMemoryAllocator.getInstance(`jvm ${opened}`, type, total);
}

// === Pairs ===

const allocateZeroed = (size) => DirectMemoryManager.allocateMemory(size, 'word', { zeroed: true });

const isZero = (block) => block.bytes().every((byte) => byte === 0);

/** What was written to and freed comes back as zeroes. */
function expectZeroed(size) {
  for (let round = 0; round < 3; round += 1) {
    const block = allocateZeroed(size);
    expect(isZero(block), 'all bytes of a zeroed block are 0');
    block.fill(0xff).free();
  }
}

export function pairs(size) {
  const kept = Array.from({ length: KEPT_MASK + 1 });
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const block = DirectMemoryManager.allocateMemory(size);
      block.setUint8(0, 1);
      kept[i & KEPT_MASK] = block;
      sum += block.size;
      DirectMemoryManager.freeMemory(block);
    }
    return sum;
  };
  return { loop, check: () => checkPairs(loop, size), expected: times(size), after: () => expectBalanced(loop, 100, size) };
}

export function zeroedPairs(size) {
  const kept = Array.from({ length: KEPT_MASK + 1 });
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const block = DirectMemoryManager.allocateMemory(size, 'word', { zeroed: true });
      block.setUint8(0, 1);
      kept[i & KEPT_MASK] = block;
      sum += block.size;
      DirectMemoryManager.freeMemory(block);
    }
    return sum;
  };
  const check = () => {
    expectZeroed(size);
    checkPairs(loop, size);
  };
  return { loop, check, expected: times(size), after: () => expectBalanced(loop, 100, size) };
}

function checkPairs(loop, size) {
  expectBalanced(loop, 100, size);
  const blocks = allocateMany(size, 3);
  expectApart(blocks, size);
  for (const block of blocks) block.free();
}

// === Mixed sizes ===

/** A case of `loop`, which replaces one of those `alive` by the next size of a pattern; `take` and `give` do so one by one. */
function mixedOf({ sizes, kept }, alive, loop, take, give) {
  const check = () => {
    expectStamps(alive.map((memory) => memory.bytes()));
    loop(PATTERN_LENGTH);
    alive.forEach((memory, at) => expectSame(memory.size, kept[at], `the size of number ${at} after a round`));
    expectStamps(alive.map((memory) => memory.bytes()));
  };
  // The views of the check would make the loop pay for detaching them: each memory is replaced by one that was never viewed.
  const renew = () => alive.forEach((memory, at) => {
    give(memory);
    alive[at] = take(memory.size);
  });
  return {
    loop,
    check: () => {
      check();
      renew();
    },
    expected: summed(PATTERN_LENGTH, (i) => sizes[i]),
    after: check,
  };
}

/** The hybrid allocator's grants. */
export function mixedGrants(name) {
  const list = pattern(name);
  const { slots, sizes } = list;
  const allocator = open('hybrid', 16 * MIB);
  const alive = Array.from({ length: ALIVE }, (_, index) => allocator.allocate(sizes[index]));
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const at = slots[i & (PATTERN_LENGTH - 1)];
      allocator.free(alive[at]);
      const memory = allocator.allocate(sizes[i & (PATTERN_LENGTH - 1)]);
      memory.setUint8(0, 1);
      alive[at] = memory;
      sum += memory.size;
    }
    return sum;
  };
  const made = mixedOf(list, alive, loop, (size) => allocator.allocate(size), (memory) => allocator.free(memory));
  return { ...made, dispose: () => allocator.close() };
}

/** Blocks, zeroed. */
export function mixedZeroed(name) {
  const list = pattern(name);
  const { slots, sizes } = list;
  const alive = Array.from({ length: ALIVE }, (_, index) => allocateZeroed(sizes[index]));
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const at = slots[i & (PATTERN_LENGTH - 1)];
      DirectMemoryManager.freeMemory(alive[at]);
      const memory = DirectMemoryManager.allocateMemory(sizes[i & (PATTERN_LENGTH - 1)], 'word', { zeroed: true });
      memory.setUint8(0, 1);
      alive[at] = memory;
      sum += memory.size;
    }
    return sum;
  };
  const made = mixedOf(list, alive, loop, allocateZeroed, (memory) => memory.free());
  const check = () => {
    expectZeroed(sizes[0]);
    made.check();
  };
  return { ...made, check, dispose: () => alive.forEach((memory) => memory.free()) };
}

// === Pools, arenas, rings ===

export function pool() {
  const blocks = new MemoryPool(KIB, 'word', 50, { zeroOnRelease: false });
  const kept = Array.from({ length: KEPT_MASK + 1 });
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const block = blocks.acquire();
      block.setUint8(0, 1);
      kept[i & KEPT_MASK] = block;
      sum += block.size;
      blocks.release(block);
    }
    return sum;
  };
  const check = () => {
    const some = [blocks.acquire(), blocks.acquire()];
    expectApart(some, KIB);
    for (const block of some) blocks.release(block);
    const before = totals();
    loop(100);
    expectSame(totals().activeBlocks, before.activeBlocks, 'blocks in use afterwards');
  };
  return { loop, check, expected: times(KIB), after: check, dispose: () => blocks.close() };
}

/** The peers' rounds: a thousand pieces, and then all end at once. */
export function arena() {
  const SIZE = 64;
  const allocator = open('arena', 4 * MIB);
  const kept = Array.from({ length: ARENA_ROUND });
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += ARENA_ROUND) {
      for (let at = 0; at < ARENA_ROUND; at += 1) {
        const memory = allocator.allocate(SIZE);
        kept[at] = memory;
        sum += memory.size;
      }
      allocator.reset();
    }
    return sum;
  };
  const check = () => {
    const some = Array.from({ length: ARENA_ROUND }, () => allocator.allocate(SIZE));
    expectStamps(some.map((memory) => memory.bytes()));
    allocator.reset();
    expect(some.every((memory) => !memory.isValid()), 'all grants ended with the reset');
    loop(ARENA_ROUND);
    expectSame(allocator.getStats().allocatedBlocks, 0, 'live grants afterwards');
  };
  return { loop, check, expected: times(SIZE), after: check, dispose: () => allocator.close() };
}

const MESSAGE = 256;
/** A message's number, so that what is read is told from what was written before. */
const NUMBERS = 1024;

/** A message that is written in place, 8 bytes of it, and read. */
export function claimedMessages() {
  const ring = open('ring', MIB);
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const message = ring.allocate(MESSAGE);
      message.setFloat64(0, i & (NUMBERS - 1));
      sum += message.getFloat64(0);
      ring.free(message);
    }
    return sum;
  };
  return { loop, check: () => checkRing(ring), expected: summed(NUMBERS, (i) => i), after: () => checkRing(ring), dispose: () => ring.close() };
}

/** A message that is copied in as a whole, and of which 8 bytes are read. */
export function copiedMessages() {
  const ring = open('ring', MIB);
  const source = new Float64Array(MESSAGE / 8);
  const bytes = new Uint8Array(source.buffer);
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      source[0] = i & (NUMBERS - 1);
      const message = ring.allocate(MESSAGE);
      DirectMemoryManager.copyMemory(bytes, 0, message, 0, MESSAGE);
      sum += message.getFloat64(0);
      ring.free(message);
    }
    return sum;
  };
  const check = () => {
    bytes.fill(0x5a);
    const message = ring.allocate(MESSAGE);
    DirectMemoryManager.copyMemory(bytes, 0, message, 0, MESSAGE);
    expect(message.copyOut().every((byte) => byte === 0x5a), 'all of a message arrived');
    ring.free(message);
    checkRing(ring);
  };
  return { loop, check, expected: summed(NUMBERS, (i) => i), after: check, dispose: () => ring.close() };
}

/** Messages in flight are apart, and nothing is left of them. */
function checkRing(ring) {
  const flying = Array.from({ length: IN_FLIGHT }, () => ring.allocate(MESSAGE));
  flying.forEach((message, index) => message.fill(index + 1));
  flying.forEach((message, index) => expect(message.copyOut().every((byte) => byte === index + 1), `message ${index} is whole`));
  for (const message of flying) ring.free(message);
  expectSame(ring.getStats().allocatedBlocks, 0, 'live messages afterwards');
}

// === Access ===

export const ACCESSES = 4096;
const NUMBERS_OF_BLOCK = 64 * KIB / 4;
const next = xorshift(0x9e3779b9);
const offsets = Int32Array.from({ length: ACCESSES }, () => (next() >>> 18) << 2);
const valueAt = (offset) => Math.imul(offset >> 2, 0x01030507);
const reversed = (value) => ((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);

function numbers() {
  const block = DirectMemoryManager.allocateMemory(64 * KIB, 'cache-line');
  const view = block.view(Int32Array);
  expectSame(view.length, NUMBERS_OF_BLOCK, 'numbers of the block');
  for (let i = 0; i < view.length; i += 1) view[i] = valueAt(i << 2);
  return block;
}

export function randomGet() {
  const block = numbers();
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += block.getInt32(offsets[i & (ACCESSES - 1)]);
    return sum;
  };
  return { loop, check: () => {}, expected: summed(ACCESSES, (i) => valueAt(offsets[i])), dispose: () => block.free() };
}

export function randomGetOther() {
  const block = numbers();
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += block.getInt32(offsets[i & (ACCESSES - 1)], false);
    return sum;
  };
  return { loop, check: () => {}, expected: summed(ACCESSES, (i) => reversed(valueAt(offsets[i]))), dispose: () => block.free() };
}

export function randomSet() {
  const block = numbers();
  const loop = (n) => {
    for (let i = 0; i < n; i += 1) block.setInt32(offsets[i & (ACCESSES - 1)], i & (ACCESSES - 1));
    return n;
  };
  const check = () => {
    block.fill(0xff);
    loop(ACCESSES);
    const last = new Map(Array.from(offsets, (offset, i) => [offset, i])); // of two with one offset the later one
    const copy = block.copyOut();
    for (let offset = 0; offset < copy.length; offset += 4) expectSame(copy.readInt32LE(offset), last.get(offset) ?? -1, `the number at ${offset}`);
  };
  return { loop, check, expected: times(1), after: check, dispose: () => block.free() };
}
