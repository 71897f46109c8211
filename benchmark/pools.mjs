// Acquire + release of pools, without a view: ours gives a fresh handle each time. Every case first stamps all that it holds.
import { Buffer } from 'node:buffer';
import { MemoryPool } from 'offheap';
import { expect, expectSame, expectStamps, times } from './_checks.mjs';
import { bufferCases, koffiCases, thingCases } from './_allocator-peers.mjs';
import { typedArrayPool } from './_peers.mjs';
import { untrackedAlive, untrackedLifo } from './_untracked.mjs';
import { GRANTS_ALIVE, KIB, MIB, ORDER_MASK, grantOrder } from './_scenarios.mjs';

export const group = 'pools';
/** Each row in processes of its own: what V8 has learned from one says nothing about another. */
export const apart = true;

const SIZE = KIB;
const POOLS = 4;
const many = (count, make) => Array.from({ length: count }, (_, index) => make(index));

export const rows = [
  {
    operation: 'pool 1 KiB, LIFO',
    unit: 'ns',
    target: { written: 6, scaled: true },
    cases: {
      'ours': oursLifo,
      'typedarray-pool': typedLifo,
      '@thi.ng/malloc': () => thingCases.lifo(SIZE, 4 * MIB),
      'koffi malloc/free': () => koffiCases.lifo(SIZE),
      'Buffer.allocUnsafe': () => bufferCases.lifo(SIZE),
    },
  },
  {
    operation: `pool 1 KiB, ${GRANTS_ALIVE} alive, replaced in random order`,
    unit: 'ns',
    target: { written: 16, scaled: true },
    cases: {
      'ours': () => oursAlive(1),
      'typedarray-pool': typedAlive,
      '@thi.ng/malloc': () => thingCases.alive(SIZE, 4 * MIB),
      'koffi malloc/free': () => koffiCases.alive(SIZE),
      'Buffer.allocUnsafe': () => bufferCases.alive(SIZE),
    },
  },
  {
    operation: `${POOLS} pools of 1 KiB at one call site, ${GRANTS_ALIVE} alive, replaced in random order`,
    unit: 'ns',
    target: { written: 22, scaled: true },
    cases: { 'ours': () => oursAlive(POOLS), 'Buffer.allocUnsafe': () => bufferCases.alive(SIZE) },
  },
  {
    operation: 'what tracking costs: the LIFO row beside an untracked twin',
    unit: 'ns',
    cases: { 'ours': oursLifo, 'untracked twin': () => untrackedLifo(SIZE) },
  },
  {
    operation: 'what tracking costs: the random row beside an untracked twin',
    unit: 'ns',
    cases: { 'ours': () => oursAlive(1), 'untracked twin': () => untrackedAlive(SIZE) },
  },
  {
    operation: 'pool 1 KiB with bytes() and a store, LIFO',
    unit: 'ns',
    step: 128,
    cases: { 'ours': oursViewed, 'typedarray-pool': typedStored, 'Buffer.allocUnsafe': () => unsafeStored() },
  },
];

// === Ours ===

/** What a loop acquires it releases: the statistics must say so. */
function expectUnchanged(pools, loop, count) {
  const used = () => pools.map((pool) => pool.getStats().inUse).join();
  const acquired = () => pools.reduce((sum, pool) => sum + pool.getStats().hits + pool.getStats().misses, 0);
  const [before, first] = [used(), acquired()];
  loop(count);
  expectSame(used(), before, 'blocks in use afterwards');
  expectSame(acquired() - first, count, 'blocks acquired');
}

const expectOwnStamps = (blocks) => expectStamps(blocks.map((block) => stamped(block)));

/** The stamps' face of a block that gets no view: what was viewed goes another way when it is released. */
const stamped = (block) => ({
  fill: (value) => block.fill(value),
  every: (test) => [0, 1, SIZE - 1].every((at) => test(block.getUint8(at))),
});

function oursLifo() {
  const pool = new MemoryPool(SIZE);
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const block = pool.acquire();
      sum += block.size;
      pool.release(block);
    }
    return sum;
  };
  const check = () => {
    const some = many(3, () => pool.acquire());
    expectOwnStamps(some);
    for (const block of some) pool.release(block);
    expectUnchanged([pool], loop, 100);
  };
  return { loop, check, expected: times(SIZE), after: () => expectUnchanged([pool], loop, 100), dispose: () => pool.close() };
}

function oursAlive(count) {
  const pools = many(count, () => new MemoryPool(SIZE));
  const alive = many(GRANTS_ALIVE, (index) => pools[index % count].acquire());
  const mask = count - 1;
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const at = grantOrder[i & ORDER_MASK];
      const pool = pools[at & mask];
      pool.release(alive[at]);
      const block = pool.acquire();
      alive[at] = block;
      sum += block.size;
    }
    return sum;
  };
  const check = () => {
    expectOwnStamps(alive);
    expectUnchanged(pools, loop, 5000);
    expectSame(new Set(alive.map(({ address }) => address)).size, GRANTS_ALIVE, 'different addresses');
  };
  const dispose = () => {
    for (const block of alive) block.free();
    for (const pool of pools) pool.close();
  };
  return { loop, check, expected: times(SIZE), after: () => expectUnchanged(pools, loop, 1000), dispose };
}

function oursViewed() {
  const pool = new MemoryPool(SIZE);
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const block = pool.acquire();
      const bytes = block.bytes();
      bytes[0] = i & 127;
      sum += bytes[0];
      pool.release(block);
    }
    return sum;
  };
  const check = () => {
    const bytes = pool.acquire().bytes();
    expectSame(bytes.length, SIZE, 'length of the view');
    expect(bytes.buffer.byteLength >= SIZE, 'its buffer is live');
  };
  return { loop, check, expected: storedSum, dispose: () => pool.close() };
}

/** The sum of `i & 127` over a multiple of 128. */
const storedSum = (n) => (n / 128) * (127 * 64);

// === typedarray-pool: typed arrays on lists by power of two; what was given back twice is handed out twice ===

const typedStamps = (arrays) => expectStamps(arrays.map((array) => array.subarray(0, SIZE)));

function typedLifo() {
  const { mallocUint8, freeUint8 } = typedArrayPool();
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const array = mallocUint8(SIZE);
      sum += array.length;
      freeUint8(array);
    }
    return sum;
  };
  const check = () => {
    const some = many(3, () => mallocUint8(SIZE));
    typedStamps(some);
    some.forEach((array) => freeUint8(array));
  };
  return { loop, check, expected: times(SIZE) };
}

function typedAlive() {
  const { mallocUint8, freeUint8 } = typedArrayPool();
  const alive = many(GRANTS_ALIVE, () => mallocUint8(SIZE));
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const at = grantOrder[i & ORDER_MASK];
      freeUint8(alive[at]);
      const array = mallocUint8(SIZE);
      alive[at] = array;
      sum += array.length;
    }
    return sum;
  };
  const check = () => {
    typedStamps(alive);
    loop(5000);
    typedStamps(alive);
  };
  return { loop, check, expected: times(SIZE) };
}

function typedStored() {
  const { mallocUint8, freeUint8 } = typedArrayPool();
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const array = mallocUint8(SIZE);
      array[0] = i & 127;
      sum += array[0];
      freeUint8(array);
    }
    return sum;
  };
  return { loop, check: () => expectSame(mallocUint8(SIZE).length, SIZE, 'length'), expected: storedSum };
}

// === Buffer ===

function storeInUnsafe(n) {
  let sum = 0;
  for (let i = 0; i < n; i += 1) {
    const buffer = Buffer.allocUnsafe(SIZE);
    buffer[0] = i & 127;
    sum += buffer[0];
  }
  return sum;
}

const unsafeStored = () => ({
  loop: storeInUnsafe,
  check: () => expectSame(Buffer.allocUnsafe(SIZE).length, SIZE, 'length'),
  expected: storedSum,
});
