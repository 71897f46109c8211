// The peers of the allocators, each by scenario: `make(size, total)`. The garbage collector's own is dropped instead of freed.
import { Buffer } from 'node:buffer';
import { expect, expectSame, expectStamps, summed, times } from './_checks.mjs';
import { libc, mallocPairs, mallocReplacing, memPool } from './_peers.mjs';
import { ALIVE, ARENA_ROUND, GRANTS_ALIVE, IN_FLIGHT, ORDER_MASK, PATTERN_LENGTH, REQUEST_GRANTS, grantOrder, pattern, requestSum } from './_scenarios.mjs';

/** The places that are replaced in turn: of a ring's grants, and of an arena's between two resets. */
const FLIGHT = Uint8Array.from({ length: IN_FLIGHT }, (_, index) => index);
const ARENA_PLACES = Uint16Array.from({ length: 1024 }, (_, index) => index % ARENA_ROUND);

const many = (count, make) => Array.from({ length: count }, (_, index) => make(index));

// === koffi: C's malloc and free ===

const koffiStamps = (pointers, sizeOf) => expectStamps(pointers.map((pointer, index) => libc().view(pointer, sizeOf(index))));

function koffiLifo(size) {
  const { malloc, free } = libc();
  const loop = mallocPairs(size);
  const check = () => {
    const pointers = many(3, () => malloc(size));
    koffiStamps(pointers, () => size);
    for (const pointer of pointers) free(pointer);
  };
  return { loop, check, expected: times(1) };
}

/** So many alive, replaced in an order of places. */
function koffiReplace(size, count, order, mask) {
  const { malloc, free } = libc();
  const pointers = many(count, () => malloc(size));
  const loop = mallocReplacing(pointers, size, order, mask);
  const check = () => {
    koffiStamps(pointers, () => size);
    loop(1000);
    koffiStamps(pointers, () => size);
  };
  return { loop, check, expected: times(1), dispose: () => pointers.forEach((pointer) => free(pointer)) };
}

function koffiMixed(name) {
  const { malloc, free } = libc();
  const { slots, sizes, kept } = pattern(name);
  const pointers = many(ALIVE, (index) => malloc(sizes[index]));
  const loop = (n) => {
    for (let i = 0; i < n; i += 1) {
      const at = slots[i & (PATTERN_LENGTH - 1)];
      free(pointers[at]);
      pointers[at] = malloc(sizes[i & (PATTERN_LENGTH - 1)]);
    }
    return n;
  };
  const check = () => {
    koffiStamps(pointers, (index) => sizes[index]);
    loop(PATTERN_LENGTH);
    koffiStamps(pointers, (index) => kept[index]);
  };
  return { loop, check, expected: times(1), dispose: () => pointers.forEach((pointer) => free(pointer)) };
}

export const koffiCases = {
  lifo: koffiLifo,
  alive: (size) => koffiReplace(size, GRANTS_ALIVE, grantOrder, ORDER_MASK),
  ring: (size) => koffiReplace(size, IN_FLIGHT, FLIGHT, IN_FLIGHT - 1),
  arena: (size) => koffiReplace(size, ARENA_ROUND, ARENA_PLACES, 1023),
  mixed: koffiMixed,
};

// === @thi.ng/malloc: an allocator in JavaScript, whose addresses are numbers ===

const thingStamps = (pool, addresses, sizeOf) =>
  expectStamps(addresses.map((address, index) => pool.u8.subarray(address, address + sizeOf(index))));

function thingLifo(size, total) {
  const pool = memPool(total);
  const loop = (n) => {
    let freed = 0;
    for (let i = 0; i < n; i += 1) if (pool.free(pool.malloc(size))) freed += 1;
    return freed;
  };
  const check = () => {
    const addresses = many(3, () => pool.malloc(size));
    thingStamps(pool, addresses, () => size);
    for (const address of addresses) expect(pool.free(address), 'the pool knows its address');
  };
  return { loop, check, expected: times(1) };
}

function thingReplace(size, total, count, order, mask) {
  const pool = memPool(2 * total);
  const addresses = many(count, () => pool.malloc(size));
  const loop = (n) => {
    let freed = 0;
    for (let i = 0; i < n; i += 1) {
      const at = order[i & mask];
      if (pool.free(addresses[at])) freed += 1;
      addresses[at] = pool.malloc(size);
    }
    return freed;
  };
  const check = () => {
    thingStamps(pool, addresses, () => size);
    loop(1000);
    thingStamps(pool, addresses, () => size);
  };
  return { loop, check, expected: times(1) };
}

function thingArena(size, total) {
  const pool = memPool(total);
  const kept = many(ARENA_ROUND, () => 0);
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += ARENA_ROUND) {
      for (let at = 0; at < ARENA_ROUND; at += 1) {
        const address = pool.malloc(size);
        kept[at] = address;
        if (address !== 0) sum += size;
      }
      pool.freeAll();
    }
    return sum;
  };
  const check = () => {
    thingStamps(pool, many(ARENA_ROUND, () => pool.malloc(size)), () => size);
    pool.freeAll();
  };
  return { loop, check, expected: times(size) };
}

/** Numbers into the pool's memory: it gives no views. */
function thingRequest(size, total) {
  const pool = memPool(total);
  const view = new DataView(pool.buf);
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += REQUEST_GRANTS) {
      for (let at = 0; at < REQUEST_GRANTS; at += 1) {
        const address = pool.malloc(size);
        view.setInt32(address, at);
        sum += view.getInt32(address);
      }
      pool.freeAll();
    }
    return sum;
  };
  return { loop, check: () => expectSame(loop(REQUEST_GRANTS), requestSum(REQUEST_GRANTS), 'what was written'), expected: requestSum };
}

function thingMixed(name, total) {
  const { slots, sizes, kept } = pattern(name);
  const pool = memPool(total);
  const addresses = many(ALIVE, (index) => pool.malloc(sizes[index]));
  const loop = (n) => {
    let freed = 0;
    for (let i = 0; i < n; i += 1) {
      const at = slots[i & (PATTERN_LENGTH - 1)];
      if (pool.free(addresses[at])) freed += 1;
      addresses[at] = pool.malloc(sizes[i & (PATTERN_LENGTH - 1)]);
    }
    return freed;
  };
  const check = () => {
    thingStamps(pool, addresses, (index) => sizes[index]);
    loop(PATTERN_LENGTH);
    thingStamps(pool, addresses, (index) => kept[index]);
  };
  return { loop, check, expected: times(1) };
}

export const thingCases = {
  lifo: thingLifo,
  alive: (size, total) => thingReplace(size, total, GRANTS_ALIVE, grantOrder, ORDER_MASK),
  ring: (size, total) => thingReplace(size, total, IN_FLIGHT, FLIGHT, IN_FLIGHT - 1),
  arena: thingArena,
  request: thingRequest,
  mixed: thingMixed,
};

// === Buffer.allocUnsafe: slices of Node's own pool up to 4 KiB, dropped for the garbage collector ===

function bufferLifo(size) {
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += Buffer.allocUnsafe(size).length;
    return sum;
  };
  return { loop, check: () => expectStamps(many(3, () => Buffer.allocUnsafe(size))), expected: times(size) };
}

function bufferReplace(size, count, order, mask) {
  const alive = many(count, () => Buffer.allocUnsafe(size));
  const loop = (n) => {
    for (let i = 0; i < n; i += 1) alive[order[i & mask]] = Buffer.allocUnsafe(size);
    return n;
  };
  const check = () => {
    loop(1000);
    expectStamps(alive);
  };
  return { loop, check, expected: times(1) };
}

function bufferRequest(size) {
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const bytes = Buffer.allocUnsafe(size);
      bytes.writeInt32LE(i & (REQUEST_GRANTS - 1), 0);
      sum += bytes.readInt32LE(0);
    }
    return sum;
  };
  return { loop, check: () => expectSame(loop(REQUEST_GRANTS), requestSum(REQUEST_GRANTS), 'what was written'), expected: requestSum };
}

/** A region of the garbage collector's, given back at once where the engine can. */
function bufferOpening(size, total) {
  const canEnd = 'transfer' in ArrayBuffer.prototype;
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const buffer = new ArrayBuffer(total);
      const bytes = Buffer.from(buffer, 0, size);
      bytes.writeInt32LE(1, 0);
      sum += bytes.readInt32LE(0);
      if (canEnd) buffer.transfer(0);
    }
    return sum;
  };
  return { loop, check: () => expectSame(loop(3), 3, 'what was written'), expected: times(1) };
}

function bufferMixed(name) {
  const { slots, sizes } = pattern(name);
  const alive = many(ALIVE, (index) => Buffer.allocUnsafe(sizes[index]));
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const bytes = Buffer.allocUnsafe(sizes[i & (PATTERN_LENGTH - 1)]);
      alive[slots[i & (PATTERN_LENGTH - 1)]] = bytes;
      sum += bytes.length;
    }
    return sum;
  };
  const check = () => {
    loop(PATTERN_LENGTH);
    expectStamps(alive);
  };
  return { loop, check, expected: summed(PATTERN_LENGTH, (i) => sizes[i]) };
}

export const bufferCases = {
  lifo: bufferLifo,
  alive: (size) => bufferReplace(size, GRANTS_ALIVE, grantOrder, ORDER_MASK),
  ring: (size) => bufferReplace(size, IN_FLIGHT, FLIGHT, IN_FLIGHT - 1),
  arena: (size) => bufferReplace(size, ARENA_ROUND, ARENA_PLACES, 1023),
  request: bufferRequest,
  opening: bufferOpening,
  mixed: bufferMixed,
};
