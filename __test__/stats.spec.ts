// Properties of the statistics:
// - after every step of a scripted sequence all totals are exact, and so are peak, minimum, maximum and average
// - a reallocation counts as the new size; the peak never counts old and new together
// - every field of a BlockInfo row is that of its block; rows come oldest first; a freed block has none
// - findPotentialLeaks shows exactly the blocks that are old enough
// - every snapshot is fresh and frozen, and readable as text, in util.inspect and as JSON
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { threadId } from 'node:worker_threads';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { DirectMemoryManager as Manager, MemoryBlock } from '../index.js';
import type { MemoryStats } from '../index.js';
import { CLOCK_MS, TIME, inOneOfSomeTries } from './_clock.js';
import { freeEverything } from './_settled.js';

const MIB = 2 ** 20;

test.afterEach.always('nothing stays', async (t) => {
  t.is(await freeEverything(), 0);
});

/** What the statistics must say, computed beside the library from the moment it is made, with nothing live. */
class Book {
  readonly #start = Manager.getMemoryStats();
  readonly #live: number[] = [];
  #allocated = 0;
  #freed = 0;
  #peak: number;

  #waiting = 0;

  constructor() {
    this.#peak = this.#start.peakAllocated;
  }

  add(size: number): void {
    this.#live.push(size);
    this.#allocated += size;
    this.#peak = Math.max(this.#peak, this.#current());
  }

  /** `waiting`: bytes of the chunk, when it was viewed and so goes through quarantine. */
  remove(size: number, waiting: number): void {
    this.#live.splice(this.#live.indexOf(size), 1);
    this.#freed += size;
    this.#waiting += waiting;
  }

  #current(): number {
    return this.#live.reduce((sum, size) => sum + size, 0);
  }

  check(t: ExecutionContext, about: string): MemoryStats {
    const stats = Manager.getMemoryStats();
    const count = this.#live.length;
    t.like(
      stats,
      {
        totalAllocated: this.#start.totalAllocated + this.#allocated,
        totalFreed: this.#start.totalFreed + this.#freed,
        currentAllocated: this.#current(),
        peakAllocated: this.#peak,
        activeBlocks: count,
        averageBlockSize: count === 0 ? 0 : this.#current() / count,
        minBlockSize: count === 0 ? 0 : Math.min(...this.#live),
        maxBlockSize: count === 0 ? 0 : Math.max(...this.#live),
        quarantined: this.#start.quarantined + this.#waiting,
        escaped: 0,
        collected: 0,
      },
      about,
    );
    t.is(stats.totalAllocated - stats.totalFreed, stats.currentAllocated);
    t.true(stats.committed >= stats.currentAllocated);
    return stats;
  }
}

test.serial('before anything is allocated all figures are 0', (t) => {
  const { committed, ...rest } = Manager.getMemoryStats();
  t.true(committed >= 0);
  t.is(rest.byAllocator.length, 0);
  t.true(Object.values(rest).every((value) => value === 0 || typeof value === 'object' || value === rest.nextBlockId), inspect(rest));
});

test.serial('all figures are exact after every step of a script', (t) => {
  const book = new Book();
  const sizes = [1, 15, 16, 17, 64, 100, 4096, 32_768, 32_769, 100_000, MIB, 70 * MIB];
  book.check(t, 'start');
  const blocks = sizes.map((size, index) => {
    const block = index % 2 === 0 ? Manager.allocateMemory(size, 'page') : MemoryBlock.from(Buffer.alloc(size));
    if (index % 3 === 0) block.bytes();
    book.add(size);
    book.check(t, `allocate ${size}`);
    return block;
  });
  const waiting = (index: number): number => (index % 3 === 0 ? (blocks[index]?.actualSize ?? 0) : 0);
  for (const index of [11, 0, 5, 3]) {
    blocks[index]?.free();
    book.remove(sizes[index] as number, waiting(index));
    book.check(t, `free ${sizes[index]}`);
  }
  t.throws(() => blocks[0]?.free());
  t.throws(() => Manager.allocateMemory(2 ** 50));
  t.throws(() => Manager.allocateMemory(0));
  book.check(t, 'after errors');
  t.is(Manager.freeAllMemory(), 8);
  for (const index of [1, 2, 4, 6, 7, 8, 9, 10]) book.remove(sizes[index] as number, waiting(index));
  book.check(t, 'freeAllMemory');
});

test.serial('a reallocation counts as the new size, and the peak never counts both', (t) => {
  const { peakAllocated } = Manager.getMemoryStats();
  const size = peakAllocated + 10 * MIB;
  let block = Manager.allocateMemory(size);
  t.is(Manager.getMemoryStats().peakAllocated, size);
  const steps = [size + 1, size - 1, size + 8 * MIB, 100, size, size / 2];
  let peak = size;
  for (const next of steps) {
    const before = Manager.getMemoryStats();
    block = Manager.reallocateMemory(block, next);
    peak = Math.max(peak, next);
    const after = Manager.getMemoryStats();
    t.deepEqual([after.currentAllocated, after.activeBlocks, after.peakAllocated, after.minBlockSize, after.maxBlockSize], [next, 1, peak, next, next]);
    t.is(after.totalAllocated - after.totalFreed, next);
    t.true(after.totalAllocated >= before.totalAllocated && after.totalFreed >= before.totalFreed);
  }
  t.throws(() => Manager.reallocateMemory(block, 2 ** 50));
  t.is(Manager.getMemoryStats().currentAllocated, size / 2);
});

test.serial('the peak counts what was held together, and never falls', (t) => {
  const { peakAllocated } = Manager.getMemoryStats();
  const half = Math.ceil(peakAllocated / 2) + MIB;
  for (let round = 0; round < 3; round += 1) Manager.allocateMemory(half).free();
  t.is(Manager.getMemoryStats().peakAllocated, peakAllocated);
  const one = Manager.allocateMemory(half);
  const two = Manager.allocateMemory(half);
  t.is(Manager.getMemoryStats().peakAllocated, 2 * half);
  one.free();
  two.free();
  t.is(Manager.getMemoryStats().peakAllocated, 2 * half);
});

test.serial('nextBlockId is above every id that was given', (t) => {
  let highest = 0;
  for (let round = 0; round < 500; round += 1) {
    const block = Manager.allocateMemory(1 + (round % 300));
    highest = Math.max(highest, block.id);
    t.true(Manager.getMemoryStats().nextBlockId > highest);
    if (round % 3 !== 0) block.free();
  }
});

test.serial('committed covers what is live and falls when trim gives pages back', (t) => {
  const before = Manager.getMemoryStats().committed;
  const blocks = Array.from({ length: 20 }, () => Manager.allocateMemory(2 * MIB));
  const held = Manager.getMemoryStats().committed;
  t.true(held >= 40 * MIB && held - before >= 0);
  for (const block of blocks) block.free();
  Manager.trim();
  t.true(Manager.getMemoryStats().committed <= held - 40 * MIB);
});

test.serial('a row tells everything of its block', (t) => {
  const plain = Manager.allocateMemory(100);
  const aligned = Manager.allocateMemory(50_000, 65_536, { label: 'rows' });
  const pinned = Manager.allocateMemory(8, 'page');
  const gone = Manager.allocateMemory(8);
  gone.free();
  using pin = pinned.pin();
  t.truthy(pin);
  const rows = Manager.getAllocatedBlocks();
  t.is(rows.length, 3);
  for (const block of [plain, aligned, pinned]) {
    const { ageMs, ...row } = rows.find(({ id }) => id === block.id) ?? { ageMs: -1 };
    t.deepEqual(row as object, {
      id: block.id,
      kind: 'block',
      owner: 'DirectMemoryManager',
      size: block.size,
      actualSize: block.actualSize,
      address: block.address,
      alignment: block.alignment,
      label: block.label,
      threadId,
      pinned: block === pinned,
      escaped: false,
    });
    t.true(ageMs >= 0 && ageMs <= CLOCK_MS + 1000);
  }
  t.deepEqual(rows.map(({ size }) => size).sort((a, b) => a - b), [8, 100, 50_000]);
});

test.serial('rows follow a reallocation, and come oldest first', inOneOfSomeTries(async (t) => {
  const first = Manager.allocateMemory(100, 32, { label: 'first' });
  await sleep(50);
  const second = Manager.allocateMemory(200);
  await sleep(50);
  const third = Manager.reallocateMemory(Manager.allocateMemory(300, 64, { label: 'third' }), 30_000);
  const rows = Manager.getAllocatedBlocks();
  t.deepEqual(rows.map(({ id }) => id), [first.id, second.id, third.id], `${TIME}the order`);
  t.like(rows[2], { size: 30_000, alignment: 64, label: 'third', address: third.address });
  t.true((rows[0]?.ageMs as number) > (rows[1]?.ageMs as number), `${TIME}the ages`);
}));

test.serial('ages and potential leaks follow the clock', inOneOfSomeTries(async (t) => {
  const born: [MemoryBlock, number, number][] = [];
  for (let index = 0; index < 4; index += 1) {
    const before = Date.now();
    born.push([Manager.allocateMemory(10 + index), before, Date.now()]);
    await sleep(300);
  }
  const asked = Date.now();
  const rows = Manager.getAllocatedBlocks();
  const answered = Date.now();
  for (const { id, ageMs } of rows) {
    const [, earliest = 0, latest = 0] = born.find(([block]) => block.id === id) ?? [];
    t.true(ageMs >= asked - latest - CLOCK_MS && ageMs <= answered - earliest + CLOCK_MS, `${TIME}${ageMs} ms, really ${asked - latest} to ${answered - earliest}`);
  }
  t.is(Manager.findPotentialLeaks(0).length, 4);
  for (const [block, earliest, latest] of born) {
    const shows = (maxAgeMs: number): boolean => Manager.findPotentialLeaks(maxAgeMs).some(({ id }) => id === block.id);
    t.true(shows(Math.max(0, Date.now() - latest - CLOCK_MS)), `${TIME}shown too late`);
    const tooOld = Date.now() - earliest + CLOCK_MS + 5;
    const shown = shows(tooOld);
    if (Date.now() - earliest < tooOld) t.false(shown, `${TIME}shown too early`);
  }
  const [oldest, , third] = born;
  const ages = Manager.getAllocatedBlocks().map(({ ageMs }) => ageMs);
  const limit = (ages[1] as number) - 5; // the second is that old, and more than the third by far
  if (Date.now() - (third?.[1] as number) < limit) t.deepEqual(Manager.findPotentialLeaks(limit).map(({ size }) => size), [10, 11], `${TIME}the two oldest`);
  oldest?.[0].free();
  t.deepEqual(Manager.findPotentialLeaks(limit)[0]?.size, 11);
  t.deepEqual(Manager.findPotentialLeaks(Number.MAX_SAFE_INTEGER), []);
  for (const bad of [-1, NaN, 1.5, Infinity]) t.throws(() => Manager.findPotentialLeaks(bad), { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' });
  for (const bad of ['1', null, undefined, 1n]) t.throws(() => Manager.findPotentialLeaks(bad as never), { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' });
}));

test.serial('a snapshot is fresh, frozen, and does not follow what happens later', (t) => {
  const block = Manager.allocateMemory(64);
  const stats = Manager.getMemoryStats();
  const rows = Manager.getAllocatedBlocks();
  t.not(Manager.getMemoryStats(), stats);
  t.not(Manager.getAllocatedBlocks(), rows);
  t.not(Manager.getAllocatedBlocks()[0], rows[0]);
  for (const snapshot of [stats, stats.byAllocator, ...rows]) {
    t.true(Object.isFrozen(snapshot));
    t.throws(() => Object.assign(snapshot, { size: 0, activeBlocks: 0, length: 1 }), { instanceOf: TypeError });
  }
  block.free();
  t.is(stats.activeBlocks, 1);
  t.is(rows[0]?.size, 64);
  t.notThrows(() => rows.pop(), 'the list is the caller’s');
});

test.serial('snapshots read well as text, in util.inspect and as JSON', (t) => {
  const block = Manager.allocateMemory(2 * MIB, 'page', { label: 'shown' });
  const stats = Manager.getMemoryStats();
  t.regex(String(stats), /^MemoryStats\[totalAllocated=.*, currentAllocated=2 MiB, .*activeBlocks=1, .*byAllocator=0\]$/);
  t.regex(inspect(stats), /^MemoryStats \{[^]*currentAllocated: 2097152 \(2 MiB\)/);
  const json = JSON.parse(JSON.stringify(stats)) as { [field: string]: unknown };
  t.deepEqual(json, { ...stats } as object);
  const [row] = Manager.getAllocatedBlocks();
  const address = `0x${block.address.toString(16)}`;
  t.regex(String(row), new RegExp(`^BlockInfo\\[id=${block.id}, kind='block', .*size=2 MiB, .*address=${address}, alignment='page', label='shown', age`));
  t.regex(inspect(row), new RegExp(`address: ${address},`));
  t.like(JSON.parse(JSON.stringify(row)) as object, { id: block.id, size: 2 * MIB, address, label: 'shown', pinned: false });
  t.deepEqual(Object.keys(stats).slice(0, 6), ['totalAllocated', 'totalFreed', 'currentAllocated', 'peakAllocated', 'activeBlocks', 'nextBlockId']);
});
