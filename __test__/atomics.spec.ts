// Properties of atomic words, in blocks of every kind and in memory of all six types of allocators:
// - each operation returns what was there, leaves what it says, wraps at its width and touches no byte beside the word
// - accessors, views and Atomics on views see the same word, whether the memory was viewed before or not
// - random sequences of operations are those of a model that counts with BigInt.asIntN
// - operations of one thread and Atomics of another lose nothing
// - memory of alignment 1, blocks and regions above 4 GiB have atomic words too; a pool zeroes what they wrote
// - arguments of the wrong type, unaligned or outside are refused, and nothing is written
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import * as fc from 'fast-check';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { DirectMemoryManager as Manager, MemoryPool } from '../index.js';
import type { AtomicType, MemoryBlock, NativeMemory } from '../index.js';
import { GIB, MIB, TYPES, closeAfterEach, open, refuses } from './_allocators.js';

closeAfterEach();

const TYPE = 'ERR_INVALID_ARG_TYPE';
const RANGE = 'ERR_OUT_OF_RANGE';
const WIDTHS: { readonly [Type in AtomicType]: 4 | 8 } = { i32: 4, i64: 8 };
const ATOMIC_TYPES = ['i32', 'i64'] as const;

type Change = (old: bigint, value: bigint) => bigint;
const CHANGES: { readonly [name: string]: Change } = {
  atomicStore: (_, value) => value,
  atomicExchange: (_, value) => value,
  atomicAdd: (old, value) => old + value,
  atomicAnd: (old, value) => old & value,
  atomicOr: (old, value) => old | value,
  atomicXor: (old, value) => old ^ value,
};
type Value = number | bigint;
type Methods = { readonly [name: string]: (...args: readonly unknown[]) => Value };
const methods = (memory: NativeMemory): Methods => memory as unknown as Methods;

const VALUES: { readonly [Type in AtomicType]: readonly Value[] } = {
  i32: [0, -0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 0x5a5a5a5a, 2 ** 31, 2 ** 32 + 5, 1.9, -1.9, NaN, Infinity, -Infinity, 1e300],
  i64: [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 0x5a5a5a5a5a5a5a5an, 2n ** 63n, 2n ** 64n + 5n, 3n ** 80n, -(3n ** 80n)],
};

/** A value as the word has it: numbers as `Int32Array` takes them, bigints modulo 2^64. */
const exact = (value: Value): bigint => BigInt.asIntN(64, typeof value === 'number' ? BigInt(value | 0) : value);
/** What a word of this type gives for an integer. */
const shown = (type: AtomicType, value: bigint): Value => (type === 'i32' ? Number(BigInt.asIntN(32, value)) : BigInt.asIntN(64, value));

function put(bytes: Buffer, type: AtomicType, offset: number, value: bigint): void {
  if (type === 'i32') bytes.writeInt32LE(Number(BigInt.asIntN(32, value)), offset);
  else bytes.writeBigInt64LE(BigInt.asIntN(64, value), offset);
}
const take = (bytes: Buffer, type: AtomicType, offset: number): bigint => (type === 'i32' ? BigInt(bytes.readInt32LE(offset)) : bytes.readBigInt64LE(offset));
const readBy = (memory: NativeMemory, type: AtomicType, offset: number): Value => (type === 'i32' ? memory.getInt32(offset) : memory.getBigInt64(offset));
const writeBy = (memory: NativeMemory, type: AtomicType, offset: number, value: bigint): void => {
  if (type === 'i32') memory.setInt32(offset, Number(BigInt.asIntN(32, value)));
  else memory.setBigInt64(offset, value);
};

/** Every kind of memory; what is not freed here is freed after the test. */
const KINDS: { readonly [kind: string]: () => NativeMemory } = {
  'a small block': () => Manager.allocateMemory(64),
  'a block of 40 KB': () => Manager.allocateMemory(40_000),
  'a page-aligned block of 1 MiB': () => Manager.allocateMemory(MIB, 'page'),
  "a pool's block": () => {
    const pool = new MemoryPool(96);
    const block = pool.acquire();
    pools.push([pool, block]);
    return block;
  },
  ...Object.fromEntries(TYPES.map((type) => [`memory of a ${type} allocator`, () => open(type).allocate(104)])),
};
const pools: [pool: MemoryPool, block: MemoryBlock][] = [];

function closePools(): void {
  for (const [pool, block] of pools.splice(0)) {
    if (block.isValid()) block.free();
    pool.close();
  }
}

/** Tries every operation with every pair of values on the word at `offset`. */
function tryWord(t: ExecutionContext, memory: NativeMemory, type: AtomicType, offset: number): void {
  const bytes = Buffer.alloc(memory.size, 0xa5);
  memory.fill(0xa5);
  const expectIt = (old: Value, expected: bigint, about: string): void => {
    if (!Object.is(old, shown(type, expected))) t.fail(`${about}: ${String(old)} instead of ${String(shown(type, expected))}`);
    const now = take(bytes, type, offset);
    const seen = [methods(memory)['atomicLoad']?.(type, offset), readBy(memory, type, offset)];
    if (seen.some((each) => each !== shown(type, now))) t.fail(`${about}: left ${seen.map(String).join()} instead of ${now}`);
  };
  for (const start of VALUES[type]) {
    for (const value of VALUES[type]) {
      for (const [name, act] of Object.entries(CHANGES)) {
        writeBy(memory, type, offset, exact(start));
        const result = methods(memory)[name]?.(type, offset, value) as Value;
        put(bytes, type, offset, act(exact(start), exact(value)));
        expectIt(result, exact(start), `${name}(${type}) of ${String(start)} and ${String(value)}`);
      }
      writeBy(memory, type, offset, exact(start));
      const found = methods(memory)['atomicCompareExchange']?.(type, offset, value, type === 'i32' ? -77 : -77n) as Value;
      put(bytes, type, offset, shown(type, exact(start)) === shown(type, exact(value)) ? -77n : exact(start));
      expectIt(found, exact(start), `atomicCompareExchange(${type}) of ${String(start)} and ${String(value)}`);
    }
  }
  t.true(memory.equals(bytes), `no byte beside the ${type} at ${offset} changed`);
}

for (const [kind, make] of Object.entries(KINDS)) {
  test.serial(`every operation returns the old number and leaves the new one in ${kind}`, (t) => {
    const memory = make();
    for (const isViewed of [false, true]) {
      if (isViewed) memory.bytes();
      for (const type of ATOMIC_TYPES) {
        const last = Math.floor(memory.size / WIDTHS[type] - 1) * WIDTHS[type];
        for (const offset of [0, WIDTHS[type], last]) tryWord(t, memory, type, offset);
      }
    }
    closePools();
  });

  test.serial(`Atomics on a view, accessors and atomic operations see the same word in ${kind}`, (t) => {
    const memory = make().fill(0);
    t.is(memory.atomicAdd('i32', 8, 5), 0); // before there is a view
    const [words, wide] = [memory.view(Int32Array), memory.view(BigInt64Array, 0, 8)];
    t.is(Atomics.load(words, 2), 5);
    t.is(Atomics.add(words, 2, 2 ** 31 - 1), 5);
    t.is(memory.atomicLoad('i32', 8), -(2 ** 31) + 4);
    t.is(memory.atomicExchange('i32', 8, -7), -(2 ** 31) + 4);
    t.is(memory.atomicStore('i32', 12, -1), 0);
    t.is(Atomics.compareExchange(wide, 1, -7n, 9n), -7n, 'both halves are one word of 8 bytes');
    t.is(memory.atomicCompareExchange('i64', 8, 8n, 1n), 9n);
    t.is(memory.atomicCompareExchange('i64', 8, 9n, 2n ** 40n), 9n);
    t.deepEqual([Atomics.load(wide, 1), memory.getInt32(8), memory.getInt32(12), memory.getBigInt64(8)], [2n ** 40n, 0, 256, 2n ** 40n]);
    memory.setInt32(12, -1);
    t.is(memory.atomicXor('i64', 8, -1n), -(2n ** 32n));
    t.is(memory.bytes()[8], 255);
    closePools();
  });
}

interface Step {
  readonly name: string;
  readonly type: AtomicType;
  readonly at: number;
  readonly value: bigint;
  readonly expected: bigint;
}
const bits = fc.oneof(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), fc.constantFrom(0n, 1n, -1n, 2n ** 31n, 2n ** 32n, 2n ** 63n, -(2n ** 31n), -(2n ** 63n)));
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    name: fc.constantFrom('atomicLoad', 'atomicCompareExchange', 'accessor', ...Object.keys(CHANGES)),
    type: fc.constantFrom(...ATOMIC_TYPES),
    at: fc.nat({ max: 11 }), // few words, so that halves and wholes meet
    value: bits,
    expected: bits,
  }),
  { minLength: 1, maxLength: 60, size: 'max' },
);

/** Takes one step in the memory and in its model. */
function takeStep(memory: NativeMemory, bytes: Buffer, { name, type, at, value, expected }: Step): void {
  const offset = Math.floor((at * 4) / WIDTHS[type]) * WIDTHS[type];
  const old = take(bytes, type, offset);
  const given = (number: bigint): Value => (type === 'i32' ? Number(BigInt.asIntN(53, number)) : number);
  const wanted = expected % 3n === 0n ? old : expected; // often what is there
  let next = old;
  if (name === 'accessor') {
    writeBy(memory, type, offset, value);
    next = value;
  } else {
    const args = name === 'atomicLoad' ? [] : name === 'atomicCompareExchange' ? [given(wanted), given(value)] : [given(value)];
    const result = methods(memory)[name]?.(type, offset, ...args);
    if (result !== shown(type, old)) throw new Error(`${name} returned ${String(result)} instead of ${String(shown(type, old))}`);
    if (name === 'atomicCompareExchange') next = shown(type, wanted) === shown(type, old) ? value : old;
    else if (name !== 'atomicLoad') next = CHANGES[name]?.(old, value) ?? old;
  }
  put(bytes, type, offset, next);
  if (!memory.equals(bytes)) throw new Error(`${name} left ${memory.text(0, 48, 'hex')} instead of ${bytes.toString('hex')}`);
}

for (const kind of ['block', 'pool', 'slab', 'arena', 'ring'] as const) {
  test.serial(`random sequences of operations are those of a model (${kind})`, (t) => {
    const pool = new MemoryPool(48);
    const region = kind === 'block' || kind === 'pool' ? undefined : open(kind);
    const property = fc.property(steps, fc.boolean(), (list, isViewed) => {
      const memory = region?.allocate(48) ?? (kind === 'pool' ? pool.acquire() : Manager.allocateMemory(48));
      try {
        if (isViewed) memory.bytes();
        const bytes = Buffer.alloc(48, 0xa5);
        memory.fill(0xa5);
        for (const step of list) takeStep(memory, bytes, step);
      } finally {
        memory.free();
      }
    });
    t.notThrows(() => fc.assert(property, { numRuns: 400, includeErrorInReport: true }));
    pool.close();
  });
}

test.serial('operations of one thread and Atomics of another on the same word lose nothing', async (t) => {
  const ROUNDS = 200_000;
  const allocator = open('arena', MIB);
  const memory = allocator.allocate(64).fill(0);
  // Its view is one of the whole region, hence of main's memory.
  const code = `
    import { AdvancedMemoryAllocator } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)};
    import { parentPort, workerData } from 'node:worker_threads';
    const { buffer } = AdvancedMemoryAllocator.getInstance(workerData.name, 'arena', ${MIB}).allocate(8).bytes();
    const [words, wide] = [new Int32Array(buffer, workerData.offset, 2), new BigInt64Array(buffer, workerData.offset + 8, 1)];
    parentPort.postMessage('ready');
    while (Atomics.load(words, 1) === 0);
    for (let round = 0; round < ${ROUNDS}; round += 1) { Atomics.add(words, 0, 1); Atomics.sub(wide, 0, 3n); }
    parentPort.postMessage('done');`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), { execArgv: [], workerData: { name: allocator.name, offset: memory.offset } });
  t.deepEqual(await once(worker, 'message'), ['ready']);
  const [done, ended] = [once(worker, 'message'), once(worker, 'exit')];
  memory.atomicStore('i32', 4, 1);
  for (let round = 0; round < ROUNDS; round += 1) {
    memory.atomicAdd('i32', 0, 1);
    memory.atomicAdd('i64', 8, 2n);
  }
  t.deepEqual(await done, ['done']);
  await ended;
  t.deepEqual([memory.atomicLoad('i32', 0), memory.atomicLoad('i64', 8)], [2 * ROUNDS, BigInt(-ROUNDS)]);
});

test.serial('memory of alignment 1 has atomic words, or says that it has none there, and changes nothing then', (t) => {
  const made: NativeMemory[] = [1, 2, 'none'].map((alignment) => Manager.allocateMemory(61, alignment as 1));
  for (const type of TYPES) {
    const allocator = open(type, MIB, 1);
    for (const size of [61, 1, 61, 3, 61]) made.push(allocator.allocate(size));
  }
  for (const memory of made.filter(({ size }) => size === 61)) {
    memory.fill(0);
    for (const type of ATOMIC_TYPES) {
      const act = (): unknown => methods(memory)['atomicAdd']?.(type, 8, type === 'i32' ? 5 : 5n);
      const isAligned = memory.address % BigInt(WIDTHS[type]) === 0n;
      if (isAligned) t.is(act(), shown(type, 0n));
      else refuses(t, act, 'ERR_OFFHEAP_NOT_SUPPORTED');
      t.is(readBy(memory, type, 8), shown(type, isAligned ? 5n : 0n));
      memory.fill(0);
    }
  }
});

test.serial('a block above 4 GiB has atomic words up to its last byte', (t) => {
  const size = 5 * GIB;
  const block = Manager.allocateMemory(size, 'page');
  for (const isViewed of [false, true]) {
    if (isViewed) block.bytes(size - 64);
    for (const offset of [0, GIB - 8, 2 * GIB - 8, 2 * GIB, 4 * GIB - 8, 4 * GIB, size - 8]) {
      block.setBigInt64(offset, BigInt(offset));
      t.is(block.atomicAdd('i64', offset, 2n ** 40n), BigInt(offset));
      t.is(block.getBigInt64(offset), BigInt(offset) + 2n ** 40n);
      t.is(block.atomicExchange('i32', offset + 4, -1), Math.floor(offset / 2 ** 32) + 256);
      t.is(block.getInt32(offset + 4), -1);
    }
    refuses(t, () => block.atomicLoad('i64', size), RANGE);
    refuses(t, () => block.atomicLoad('i32', size - 2), RANGE);
  }
  block.free();
});

for (const type of ['buddy', 'arena', 'ring', 'pool', 'hybrid'] as const) {
  test.serial(`${type}: memory above 4 GiB has atomic words up to its last byte`, (t) => {
    const size = type === 'buddy' ? 8 * GIB : 5 * GIB;
    const memory = open(type, size, 'page').allocate(size);
    for (const offset of [0, GIB - 8, 4 * GIB - 8, 4 * GIB, size - 8]) {
      t.is(memory.atomicStore('i64', offset, BigInt(offset)), 0n);
      t.is(memory.atomicOr('i32', offset, 7), offset | 0);
      t.is(memory.getBigInt64(offset), BigInt(offset) | 7n);
      t.is(Atomics.load(memory.view(BigInt64Array, offset, 1), 0), BigInt(offset) | 7n);
    }
    refuses(t, () => memory.atomicLoad('i64', size), RANGE);
  });
}

test.serial('a pool zeroes what atomic operations wrote before somebody else gets the block', (t) => {
  for (const size of [64, 40_000]) {
    for (const isViewed of [false, true]) {
      const pool = new MemoryPool(size, 'word', 1, { zeroed: true });
      const block = pool.acquire();
      if (isViewed) block.bytes();
      t.is(block.atomicStore('i64', 8, -1n), 0n);
      t.is(block.atomicAdd('i32', size - 4, -1), 0);
      const { address } = block;
      pool.release(block);
      const next = pool.acquire();
      t.is(next.address, address);
      t.true(next.equals(Buffer.alloc(size)), `${size} ${isViewed}`);
      next.free();
      pool.close();
    }
  }
});

for (const [kind, make] of Object.entries(KINDS)) {
  test.serial(`bad arguments of every operation are refused and write nothing in ${kind}`, (t) => {
    const memory = make().fill(7);
    const bad: { readonly [code: string]: readonly unknown[] } = { [TYPE]: ['0', null, undefined, {}, [], 0n, true, Symbol('0'), { valueOf: () => t.fail() }], [RANGE]: [NaN, -1, -4, 0.5, 4.5, Infinity, -Infinity, 2 ** 31, 2 ** 32, 2 ** 53, memory.size + 8] };
    for (const name of ['atomicLoad', 'atomicCompareExchange', ...Object.keys(CHANGES)]) {
      const call = (...args: readonly unknown[]) => (): unknown => methods(memory)[name]?.(...args);
      for (const type of ATOMIC_TYPES) {
        const value = type === 'i32' ? 1 : 1n;
        const width = WIDTHS[type];
        for (const [code, offsets] of Object.entries(bad)) for (const offset of offsets) refuses(t, call(type, offset, value, value), code, `${name} ${type}`);
        for (const offset of [1, 2, 3, 5, width + 1, width / 2, memory.size - width + 1, memory.size - 1, memory.size]) refuses(t, call(type, offset, value, value), RANGE, `${name} ${type} ${offset}`);
        if (name === 'atomicLoad') continue;
        for (const wrong of [type === 'i32' ? 1n : 1, undefined, null, '1', {}, true, Object(value), { valueOf: () => t.fail() }]) {
          refuses(t, call(type, 0, wrong, value), TYPE, `${name} ${type}`);
          if (name === 'atomicCompareExchange') refuses(t, call(type, 0, value, wrong), TYPE, `${name} ${type}`);
        }
      }
      for (const type of ['i16', 'u32', 'I32', '', 'int32', '__proto__']) refuses(t, call(type, 0, 1, 1), 'ERR_INVALID_ARG_VALUE', name);
      for (const type of [undefined, null, 32, 0n, {}, ['i32'], Object('i32'), Int32Array]) refuses(t, call(type, 0, 1, 1), TYPE, name);
    }
    t.true(memory.equals(Buffer.alloc(memory.size, 7)));
    closePools();
  });
}

test.serial('memory smaller than a word has none', (t) => {
  for (const memory of [Manager.allocateMemory(3), open('slab').allocate(3), open('arena').allocate(1)]) {
    for (const type of ATOMIC_TYPES) {
      for (const offset of [0, 1, 4, NaN]) refuses(t, () => memory.atomicLoad(type, offset), RANGE);
      refuses(t, () => memory.atomicLoad(type, '0' as never), TYPE);
    }
    refuses(t, () => memory.notify(0), RANGE);
  }
  t.is(Manager.allocateMemory(4, 'word', { zeroed: true }).atomicLoad('i32', 0), 0);
  refuses(t, () => Manager.allocateMemory(7).atomicLoad('i64', 0), RANGE);
});
