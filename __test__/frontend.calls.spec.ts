// Which operations make no native call, or one for many: each test counts the calls to the addon. What the front-end saves (facade/handles/front.ts) is
// asked for without it too: then every allocation is a native call.
// - small blocks, a pool's blocks, grants of slab, object pool, buddy, hybrid: none where what was freed is handed out again
// - kept blocks one for 32, kept grants of a slab and a hybrid one for 64, an arena one for 64 KiB, a ring one for 64 messages
// - accessors, views of what was viewed before, short copies, fills and comparisons: none, whoever hands memory out
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { callsOf, counts, sumOf } from './_native-calls.js'; // before the library, which takes the addon's functions as it loads
import { DirectMemoryManager as Manager, MemoryPool } from '../index.js';
import type { AllocatedMemory, MemoryBlock } from '../index.js';
import { binding } from '../facade/native.js';
import { spanOf } from '../facade/handles/table.js';
import { KIB, MIB, closeAfterEach, open } from './_allocators.js';

closeAfterEach();

const { allocateMemory, compareMemory, copyMemory, freeMemory, mismatch, setMemory, zeroMemory } = Manager;
const N = 10_000;
/** Where calls are saved one may be due now and then: for the clock when it stood, for sums that are looked at each 2^30. */
const NOW_AND_THEN = 8;
const HAS_FRONT = process.env['OFFHEAP_FRONTEND'] !== 'off';
/** Elsewhere every allocation of an allocator is a native call. */
const LENDS_GRANTS = HAS_FRONT && process.platform === 'linux';
/** Where the engine cannot move an ArrayBuffer's memory (Node 20) every owner of a block gets a buffer of its own. */
const KEEPS_BUFFERS = 'transfer' in ArrayBuffer.prototype;

/** Native calls of `count` operations, after so many that all is ready which they need. */
function calls(act: (index: number) => void, count: number = N): ReturnType<typeof callsOf> {
  for (let index = 0; index < count / 5; index += 1) act(index);
  return callsOf(() => {
    for (let index = 0; index < count; index += 1) act(index);
  });
}

/** Operations that allocate once each make at most so many native calls; without a front-end one each or more. */
function saves(t: ExecutionContext, act: (index: number) => void, { most = 0, isOn = HAS_FRONT } = {}): void {
  const made = calls(act);
  const told = `${sumOf(made)} native calls of ${N} operations: ${JSON.stringify(made)}`;
  if (isOn) t.true(sumOf(made) <= most + NOW_AND_THEN, told);
  else t.true(sumOf(made) >= N, told);
}

/** An operation that makes no native call, whoever hands memory out. */
function makesNone(t: ExecutionContext, act: (index: number) => void, about?: string): void {
  t.deepEqual(calls(act, 1000), {}, about);
}

/** An operation that frees the oldest of `held` memories and allocates the next one. */
function inFlight<Memory>(held: number, allocate: () => Memory, free: (memory: Memory) => void): (index: number) => void {
  const memories = Array.from({ length: held }, allocate);
  return (index) => {
    free(memories[index % held] as Memory);
    memories[index % held] = allocate();
  };
}

test.before('until JavaScript hands grants out, where it does', async () => {
  const allocator = open('slab');
  const pair = () => sumOf(callsOf(() => allocator.free(allocator.allocate(64))));
  // Not at once: first the system is asked whether it can stop an isolate that does so.
  for (let rest = LENDS_GRANTS ? 200 : 0; rest > 0 && pair() > 0; rest -= 1) await sleep(5);
  allocator.close();
});

test.serial('every function of the addon is counted, and what is a native call from the start is seen as one', (t) => {
  const functions = Object.entries(binding).filter(([, value]) => typeof value === 'function');
  t.deepEqual(functions.map(([name]) => name).toSorted(), [...counts.keys()].toSorted());
  const made = callsOf(() => allocateMemory(1000, 'page', { label: 'frame' }).free());
  t.deepEqual(made, { internLabel: 1, allocate: 1, free: 1 });
  t.deepEqual(callsOf(() => binding.systemInfo()), { systemInfo: 1 });
});

for (const size of [1, 64, KIB, 32 * KIB]) {
  test.serial(`a block of ${size} B is allocated and freed without a native call, whichever way it is freed`, (t) => {
    saves(t, () => freeMemory(allocateMemory(size)));
    saves(t, () => allocateMemory(size).free());
    saves(t, () => allocateMemory(size)[Symbol.dispose]());
    saves(t, inFlight(8, () => allocateMemory(size), freeMemory));
  });
}

test.serial('blocks that are all kept take one native call for 32, and so does their free', (t) => {
  const blocks: MemoryBlock[] = [];
  const allocated = callsOf(() => {
    for (let index = 0; index < N; index += 1) blocks.push(allocateMemory(64));
  });
  const freed = callsOf(() => blocks.forEach(freeMemory));
  for (const made of [allocated, freed]) {
    if (HAS_FRONT) t.true(sumOf(made) <= N / 32 + NOW_AND_THEN, JSON.stringify(made));
    else t.is(sumOf(made), N);
  }
});

test.serial('a block above 32 KiB makes one native call for its allocation and one for its free', (t) => {
  for (const size of [32 * KIB + 1, MIB]) t.deepEqual(calls(() => freeMemory(allocateMemory(size)), 1000), { allocate: 1000, free: 1000 });
});

test.serial("a pool's block is acquired and released without a native call, whichever way it goes back", (t) => {
  for (const size of [64, KIB, 64 * KIB]) {
    using pool = new MemoryPool(size);
    saves(t, () => pool.release(pool.acquire()));
    saves(t, () => pool.acquire().free());
    saves(t, inFlight(32, () => pool.acquire(), (block) => pool.release(block)));
  }
});

for (const [type, size] of [['slab', 128], ['slab', 16 * KIB], ['pool', 1000], ['buddy', 4 * KIB], ['hybrid', 120], ['hybrid', 20_000]] as const) {
  test.serial(`${type}: what was freed of ${size} B is granted again without a native call`, (t) => {
    const allocator = open(type, 16 * MIB);
    const options = { isOn: LENDS_GRANTS };
    saves(t, () => allocator.free(allocator.allocate(size)), options);
    saves(t, () => allocator.allocate(size).free(), options);
    saves(t, () => (allocator.tryAllocate(size) as AllocatedMemory).free(), options);
    saves(t, inFlight(8, () => allocator.allocate(size), (memory) => allocator.free(memory)), options);
  });
}

for (const type of ['slab', 'hybrid'] as const) {
  test.serial(`${type}: grants that are all kept take one native call for 64, once one of their class was freed`, (t) => {
    const allocator = open(type, 4 * MIB);
    allocator.allocate(100).free();
    saves(t, () => void allocator.allocate(100), { most: N / 64, isOn: LENDS_GRANTS });
  });
}

test.serial('an arena takes one native call for each piece of 64 KiB that it is cut into', (t) => {
  const allocator = open('arena', 4 * MIB);
  saves(t, () => void allocator.allocate(64), { most: (N * 64) / (64 * KIB), isOn: LENDS_GRANTS });
  allocator.reset();
  saves(t, () => void allocator.tryAllocate(256), { most: (N * 256) / (64 * KIB), isOn: LENDS_GRANTS });
});

test.serial('a ring with eight messages in flight takes one native call for 64 of them', (t) => {
  const ring = open('ring');
  const options = { most: N / 64, isOn: LENDS_GRANTS };
  saves(t, inFlight(8, () => ring.allocate(256), (memory) => ring.free(memory)), options);
  ring.reset();
  saves(t, inFlight(8, () => ring.allocate(200), (memory) => memory.free()), options);
});

const NUMBERS = ['Int8', 'Uint8', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64'] as const;

test.serial('typed getters and setters, and the question whether memory is live, make no native call', (t) => {
  const viewed = allocateMemory(64);
  viewed.bytes();
  const region = open('slab');
  const shown = open('pool').allocate(64);
  shown.bytes();
  const grants = [region.allocate(64), shown, open('arena').allocate(64), open('ring').allocate(64)];
  for (const memory of [allocateMemory(64), allocateMemory(100_000), viewed, ...grants]) {
    makesNone(t, () => {
      for (const kind of NUMBERS) memory[`set${kind}`](8, 77);
      for (const kind of NUMBERS) memory[`get${kind}`](8);
      memory.setBigInt64(0, -1n);
      memory.setBigUint64(0, 1n);
      if (memory.getBigInt64(0) !== memory.getBigUint64(0) || !memory.isValid()) t.fail();
    }, memory.toString());
  }
});

test.serial('a further view of a live block, and of memory of an allocator that was viewed before, makes no native call', (t) => {
  const block = allocateMemory(KIB);
  const [allocator, arena] = [open('slab'), open('arena')];
  const views = [block, allocator.allocate(64), arena.allocate(64)];
  for (const memory of views) {
    makesNone(t, () => {
      memory.bytes();
      memory.bytes(8, 16);
      memory.view(Int32Array, 8, 2);
      Manager.createDirectByteBuffer(memory);
    });
  }
  for (const each of [allocator, arena]) {
    for (let count = 0; count < 100; count += 1) {
      const memory = each.allocate(64);
      t.deepEqual(callsOf(() => void memory.bytes()), {}, 'the first of a grant too, in a region that has a buffer');
    }
  }
});

/** Native calls of an access, or a view, right after each of a hundred resets. */
function afterResets(type: 'arena' | 'slab', look: (memory: AllocatedMemory) => void): number {
  const allocator = open(type);
  let made = 0;
  for (let turn = 0; turn < 101; turn += 1) {
    const memory = allocator.allocate(64);
    const now = sumOf(callsOf(() => look(memory)));
    if (turn > 0) made += now;
    allocator.reset();
  }
  return made;
}

for (const type of ['arena', 'slab'] as const) {
  test.serial(`${type}: the first access after a reset makes no native call, nor the first view where the engine can move a buffer`, (t) => {
    t.is(afterResets(type, (memory) => memory.setInt32(0, 1)), 0);
    t.is(afterResets(type, (memory) => void memory.bytes()) > 0, !KEEPS_BUFFERS);
    t.is(afterResets(type, (memory) => void memory.bytes().fill(memory.getUint8(0))) > 0, !KEEPS_BUFFERS);
  });
}

/** Native calls of a new block's first view. */
function viewOnce(): number {
  const block = allocateMemory(KIB);
  const made = sumOf(callsOf(() => void block.bytes()));
  block.free();
  return made;
}

test.serial('bytes() of a block in memory that an earlier owner viewed makes no native call, where the engine can move a buffer', (t) => {
  // What was viewed waits in quarantine until 256 others were freed: then all that is handed out was.
  for (let count = 0; count < 1000; count += 1) viewOnce();
  let made = 0;
  for (let count = 0; count < 1000; count += 1) made += viewOnce();
  if (KEEPS_BUFFERS) t.is(made, 0);
  else t.true(made >= 1000, `${made}`);
});

/** Two blocks that one hidden view shows. */
function twoOfOneSpan(t: ExecutionContext, size: number): [MemoryBlock, MemoryBlock] {
  const pair: [MemoryBlock, MemoryBlock] = [allocateMemory(size), allocateMemory(size)];
  const [one, other] = pair.map(({ id }) => spanOf(id % 2 ** 24));
  t.is(one, other, 'both lie in one span');
  return pair;
}

test.serial('copies of up to 64 KiB between blocks of one span make no native call, longer ones one', (t) => {
  for (const size of [1, 64, 4 * KIB, 64 * KIB]) {
    const [source, target] = twoOfOneSpan(t, size);
    makesNone(t, () => copyMemory(source, 0, target, 0, size), `${size}`);
    makesNone(t, () => copyMemory(source, 0, source, 0, size, 'normal'), `${size}`);
  }
  const [source, target] = twoOfOneSpan(t, 64 * KIB + 1);
  t.true(sumOf(calls(() => copyMemory(source, 0, target, 0, 64 * KIB + 1), 100)) <= 100);
});

test.serial('fills of up to 64 KiB make no native call, longer ones one', (t) => {
  for (const size of [1, 64, 4 * KIB, 64 * KIB]) {
    const [block, viewed] = [allocateMemory(size), allocateMemory(size)];
    viewed.bytes();
    for (const each of [block, viewed]) {
      makesNone(t, () => setMemory(each, 0, size, 0xff), `${size}`);
      makesNone(t, () => zeroMemory(each), `${size}`);
    }
  }
  const block = allocateMemory(64 * KIB + 1);
  t.true(sumOf(calls(() => setMemory(block, 0, 64 * KIB + 1, 1), 100)) <= 100);
});

test.serial('fills of up to 64 B with a pattern make no native call, longer ones one', (t) => {
  const [block, viewed] = [allocateMemory(KIB), allocateMemory(KIB)];
  viewed.bytes();
  for (const each of [block, viewed]) {
    for (const length of [1, 16, 61, 64]) makesNone(t, () => setMemory(each, 3, length, Buffer.from('eight by')), `${length}`);
    t.true(sumOf(calls(() => setMemory(each, 3, 65, Buffer.from('eight by')), 100)) <= 100);
  }
});

test.serial('all of a viewed block is copied and filled without a native call up to 1 MiB, and be it to another span', (t) => {
  for (const size of [1, 64, 100, 4 * KIB, 300 * KIB, MIB]) {
    const [source, target] = [allocateMemory(size), allocateMemory(size + 1)];
    for (const block of [source, target]) block.bytes();
    const copy = (): void => copyMemory(source, 0, target, 1, size);
    const fill = (): void => setMemory(source, 0, size, 7);
    for (const act of [copy, fill]) {
      for (let turn = 0; turn < 8; turn += 1) act(); // the first ones make native calls
      t.deepEqual(calls(act, 100), {}, `${size}`);
    }
    copy();
    t.is(target.copyOut(1, size).findIndex((byte) => byte !== 7), -1);
  }
});

test.serial('comparisons of up to 32 B make no native call, longer ones one', (t) => {
  const [a, b] = twoOfOneSpan(t, KIB);
  for (const block of [a, b]) zeroMemory(block);
  for (const length of [1, 4, 31, 32]) {
    makesNone(t, () => compareMemory(a, 1, b, 2, length), `${length}`);
    makesNone(t, () => mismatch(a, 1, b, 2, length), `${length}`);
  }
  t.true(sumOf(calls(() => compareMemory(a, 0, b, 0, KIB), 100)) <= 100);
  t.true(sumOf(calls(() => mismatch(a, 0, b, 0, KIB), 100)) <= 100);
});

test.serial('copies of up to 1 MiB between a block and a Uint8Array make no native call', (t) => {
  for (const size of [1, KIB, MIB]) {
    const block = allocateMemory(size);
    const bytes = new Uint8Array(size);
    for (const act of [() => copyMemory(bytes, 0, block, 0, size), () => copyMemory(block, 0, bytes, 0, size)]) t.deepEqual(calls(act, 100), {}, `${size}`);
  }
});
