// Allocate + free of the six allocators, without a view. Every case first stamps all that it holds and reads the stamps back.
import { AdvancedMemoryAllocator, DirectMemoryManager } from 'offheap';
import { expect, expectSame, expectStamps, summed, times } from './_checks.mjs';
import { bufferCases, koffiCases, thingCases } from './_allocator-peers.mjs';
import { ALIVE, ARENA_ROUND, GRANTS_ALIVE, IN_FLIGHT, KIB, MIB, ORDER_MASK, PATTERN_LENGTH, REQUEST_GRANTS, grantOrder, pattern, requestSum, sizeText } from './_scenarios.mjs';

export const group = 'allocators';
/** Each row in processes of its own: what V8 has learned from one says nothing about another. */
export const apart = true;

const aim = (written) => ({ written, scaled: true });
const TARGET = aim(80);

/** A row of ours and of every peer that has this scenario. */
function row(operation, scenario, ours, { size, total, target = TARGET, step = 1 }) {
  const peers = { 'koffi malloc/free': koffiCases, '@thi.ng/malloc': thingCases, 'Buffer.allocUnsafe': bufferCases };
  const cases = { ours };
  for (const [name, make] of Object.entries(peers)) {
    if (make[scenario] !== undefined) cases[name] = () => make[scenario](size, total);
  }
  return { operation, unit: 'ns', step, cases, ...(target && { target }) };
}

const pairs = (type, size, total, lifo = 80, alive = 80) => [
  row(`${type} ${sizeText(size)}, LIFO`, 'lifo', () => oursLifo(type, size, total), { size, total, target: aim(lifo) }),
  row(`${type} ${sizeText(size)}, ${GRANTS_ALIVE} alive, replaced in random order`, 'alive', () => oursAlive(type, size, total),
    { size, total, target: aim(alive) }),
];

export const rows = [
  ...pairs('slab', 128, MIB, 10, 22),
  ...pairs('pool', KIB, 4 * MIB, 12, 25),
  ...pairs('buddy', 4 * KIB, 16 * MIB),
  row(`arena 64 B, reset each ${ARENA_ROUND}`, 'arena', () => oursArena(64, 4 * MIB), { size: 64, total: 4 * MIB, target: aim(15), step: ARENA_ROUND }),
  { operation: 'arena 64 B, dropped at once', unit: 'ns', step: ARENA_ROUND, target: aim(5), cases: { ours: () => oursDropped(64, 4 * MIB) } },
  { operation: 'arena 64 B with bytes()', unit: 'ns', step: ARENA_ROUND, target: aim(35), cases: { ours: () => oursArenaBytes(64, 4 * MIB) } },
  row(`arena of a request: ${REQUEST_GRANTS} × 64 B with a number each, reset`, 'request', () => oursRequest(64, MIB),
    { size: 64, total: MIB, target: null, step: REQUEST_GRANTS }),
  row('arena of 1 MiB: open, 64 B, a number, close', 'opening', () => oursOpening(64, MIB), { size: 64, total: MIB, target: null }),
  ...pairs('ring', 256, 16 * MIB),
  row(`ring 256 B, ${IN_FLIGHT} in flight`, 'ring', () => oursRing(256, 64 * KIB), { size: 256, total: 64 * KIB, target: aim(15) }),
  ...['web', 'log'].map((name) =>
    row(`hybrid, '${name}' sizes, ${ALIVE} alive, replaced in random order`, 'mixed', () => oursMixed(name, 16 * MIB),
      { size: name, total: 16 * MIB, target: aim(name === 'web' ? 30 : 90), step: PATTERN_LENGTH })),
];

/** What a program has usually done before: one allocator of each type, so that the paths are compiled for all of them. */
export function warmUp() {
  for (const type of ['buddy', 'slab', 'arena', 'ring', 'pool', 'hybrid']) {
    const allocator = open(type, MIB);
    for (let i = 0; i < 300; i += 1) {
      const memory = allocator.allocate([24, 500, 3000][i % 3]);
      memory.setInt32(0, i);
      if (i % 50 === 0) memory.bytes()[1] = memory.getUint8(0);
      allocator.free(memory);
    }
    allocator.reset();
    allocator.close();
  }
}

// === Checks ===

let opened = 0;

function open(type, total) {
  opened += 1;
  return AdvancedMemoryAllocator.getInstance(`bench ${opened}`, type, total);
}

const expectOwnStamps = (grants) => expectStamps(grants.map((memory) => memory.bytes()));

/** Live grants and the bytes they asked for. */
function used(allocator) {
  const { allocatedBlocks, requestedSize } = allocator.getStats();
  return { allocatedBlocks, requestedSize };
}

/** What a loop allocates it frees, or replaces by as many bytes: the statistics must say so. */
function expectUnchanged(allocator, loop, count) {
  const before = used(allocator);
  loop(count);
  const after = used(allocator);
  expectSame(after.allocatedBlocks, before.allocatedBlocks, 'live grants afterwards');
  expectSame(after.requestedSize, before.requestedSize, 'live bytes afterwards');
}

// === Ours ===

function oursLifo(type, size, total) {
  const allocator = open(type, total);
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const memory = allocator.allocate(size);
      sum += memory.size;
      allocator.free(memory);
    }
    return sum;
  };
  const check = () => {
    const some = Array.from({ length: 3 }, () => allocator.allocate(size));
    expectOwnStamps(some);
    for (const memory of some) allocator.free(memory);
    expectUnchanged(allocator, loop, 100);
  };
  return { loop, check, expected: times(size), after: () => expectUnchanged(allocator, loop, 100), dispose: () => allocator.close() };
}

function oursAlive(type, size, total) {
  const allocator = open(type, total);
  const alive = Array.from({ length: GRANTS_ALIVE }, () => allocator.allocate(size));
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const at = grantOrder[i & ORDER_MASK];
      allocator.free(alive[at]);
      const memory = allocator.allocate(size);
      alive[at] = memory;
      sum += memory.size;
    }
    return sum;
  };
  const check = () => {
    expectOwnStamps(alive);
    expectUnchanged(allocator, loop, 5000);
    expectOwnStamps(alive);
  };
  const after = () => {
    expectUnchanged(allocator, loop, 1000);
    expectOwnStamps(alive);
  };
  return { loop, check, expected: times(size), after, dispose: () => allocator.close() };
}

function oursArena(size, total) {
  const allocator = open('arena', total);
  const kept = Array.from({ length: ARENA_ROUND }, () => undefined);
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += ARENA_ROUND) {
      for (let at = 0; at < ARENA_ROUND; at += 1) {
        const memory = allocator.allocate(size);
        kept[at] = memory;
        sum += memory.size;
      }
      allocator.reset();
    }
    return sum;
  };
  const check = () => {
    const some = Array.from({ length: ARENA_ROUND }, () => allocator.allocate(size));
    expectOwnStamps(some);
    allocator.reset();
    expect(some.every((memory) => !memory.isValid()), 'all grants ended with the reset');
    expectUnchanged(allocator, loop, ARENA_ROUND);
  };
  return { loop, check, expected: times(size), after: () => expectUnchanged(allocator, loop, ARENA_ROUND), dispose: () => allocator.close() };
}

/** Handles that nobody keeps; the compiler may leave them out. */
function oursDropped(size, total) {
  const allocator = open('arena', total);
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += ARENA_ROUND) {
      for (let at = 0; at < ARENA_ROUND; at += 1) sum += allocator.allocate(size).size;
      allocator.reset();
    }
    return sum;
  };
  return { loop, check: () => expectUnchanged(allocator, loop, ARENA_ROUND), expected: times(size), dispose: () => allocator.close() };
}

function oursArenaBytes(size, total) {
  const allocator = open('arena', total);
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += ARENA_ROUND) {
      for (let at = 0; at < ARENA_ROUND; at += 1) sum += allocator.allocate(size).bytes().length;
      allocator.reset();
    }
    return sum;
  };
  return { loop, check: () => expectUnchanged(allocator, loop, ARENA_ROUND), expected: times(size), dispose: () => allocator.close() };
}

/** What a server does for a request: a few grants, a number into each, and all of them end. */
function oursRequest(size, total) {
  const allocator = open('arena', total);
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += REQUEST_GRANTS) {
      for (let at = 0; at < REQUEST_GRANTS; at += 1) {
        const memory = allocator.allocate(size);
        memory.setInt32(0, at);
        sum += memory.getInt32(0);
      }
      allocator.reset();
    }
    return sum;
  };
  return { loop, check: () => expectUnchanged(allocator, loop, REQUEST_GRANTS), expected: requestSum, dispose: () => allocator.close() };
}

function oursOpening(size, total) {
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const allocator = AdvancedMemoryAllocator.getInstance('bench of a moment', 'arena', total);
      const memory = allocator.allocate(size);
      memory.setInt32(0, 1);
      sum += memory.getInt32(0);
      allocator.close();
    }
    return sum;
  };
  const { committed } = DirectMemoryManager.getMemoryStats();
  const check = () => {
    loop(10);
    expectSame(DirectMemoryManager.getMemoryStats().committed, committed, 'bytes of the system afterwards');
  };
  return { loop, check, expected: times(1) };
}

function oursRing(size, total) {
  const allocator = open('ring', total);
  const flying = Array.from({ length: IN_FLIGHT }, () => allocator.allocate(size));
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const at = i & (IN_FLIGHT - 1);
      allocator.free(flying[at]);
      const memory = allocator.allocate(size);
      flying[at] = memory;
      sum += memory.size;
    }
    return sum;
  };
  const check = () => {
    expectOwnStamps(flying);
    expectUnchanged(allocator, loop, 1000);
    expectOwnStamps(flying);
  };
  return { loop, check, expected: times(size), after: () => expectUnchanged(allocator, loop, 1000), dispose: () => allocator.close() };
}

function oursMixed(name, total) {
  const { slots, sizes, kept } = pattern(name);
  const allocator = open('hybrid', total);
  const alive = Array.from({ length: ALIVE }, (_, index) => allocator.allocate(sizes[index]));
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const at = slots[i & (PATTERN_LENGTH - 1)];
      allocator.free(alive[at]);
      const memory = allocator.allocate(sizes[i & (PATTERN_LENGTH - 1)]);
      alive[at] = memory;
      sum += memory.size;
    }
    return sum;
  };
  const check = () => {
    expectOwnStamps(alive);
    loop(PATTERN_LENGTH);
    expectOwnStamps(alive);
    expectSame(used(allocator).requestedSize, kept.reduce((sum, size) => sum + size, 0), 'live bytes after a round');
    expectUnchanged(allocator, loop, PATTERN_LENGTH);
  };
  const expected = summed(PATTERN_LENGTH, (i) => sizes[i]);
  return { loop, check, expected, after: () => expectOwnStamps(alive), dispose: () => allocator.close() };
}
