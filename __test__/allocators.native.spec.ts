// Properties of the native functions of allocators, called as the facade calls them:
// - every kind grants aligned memory that a view of its region shows, frees it once, and counts it
// - each refusal leaves its status and its two figures in the table
// - epochs and an arena's generations tell what lives without a call
// - grants are rows, with the allocator's number and the thread that holds them; an arena is one row
// - what an ended worker held is back in its allocator
import { Worker } from 'node:worker_threads';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { ERROR_CODES } from '../facade/errors.js';
import { ARGUMENT, RESULT, T, isLent, isRecordLive, setWide } from '../facade/handles/table.js';
import { binding } from '../facade/native.js';
import { openIds } from './_allocators.js';

const KINDS = ['buddy', 'slab', 'arena', 'ring', 'pool', 'hybrid'];
const ARENA = 2;
const RING = 3;
const MIB = 2 ** 20;
const WORD = 33; // an alignment code: 8 bytes

interface Id {
  readonly number: number;
  readonly life: number;
}

interface Grant {
  readonly slot: number;
  readonly generation: number;
  readonly offset: number;
}

const word = (index: number): number => (T[RESULT + index] as number) >>> 0;
const wide = (index: number): number => word(index) + word(index + 1) * 2 ** 32;
const status = (): string => (word(0) === 0 ? 'ok' : (ERROR_CODES[word(0) - 1] as string));

function open(name: string, kind: number, total: number, { alignment = WORD, overwrite = 0 } = {}): Id {
  binding.allocatorOpen(Buffer.from(name), kind, total, alignment, overwrite);
  return { number: word(1), life: word(2) };
}

function setId({ number, life }: Id): void {
  T[ARGUMENT] = number;
  T[ARGUMENT + 1] = life;
}

function allocate(id: Id, size: number): Grant {
  setId(id);
  setWide(2, size);
  T[ARGUMENT + 4] = 0;
  binding.allocatorAllocate();
  return { slot: word(1), generation: word(2), offset: wide(3) };
}

function withHandle(id: Id, { slot, generation }: Grant, call: () => void): string {
  setId(id);
  T[ARGUMENT + 2] = slot;
  T[ARGUMENT + 3] = generation;
  setWide(4, 100);
  call();
  return status();
}

function act(id: Id, call: () => void): string {
  setId(id);
  call();
  return status();
}

const free = (id: Id, grant: Grant): string => withHandle(id, grant, binding.allocatorFree);

/** Closes whatever a test left open, so that the next one starts with nothing. */
test.afterEach.always('nothing stays', (t) => {
  for (const id of openIds()) t.is(act(id, binding.allocatorClose), 'ok', binding.allocatorName(id.number, id.life) ?? '');
  t.deepEqual(openIds(), []);
});

function each(t: ExecutionContext, body: (id: Id, kind: number) => void): void {
  KINDS.forEach((name, kind) => {
    const id = open(name, kind, MIB);
    t.is(status(), 'ok', name);
    body(id, kind);
    t.is(binding.allocatorCheck(id.number, id.life) ?? undefined, undefined, name);
  });
}

/** By its record, or by the table: of a ring the second of a size may be lent. */
const isThere = ({ slot, generation }: Grant): boolean => isRecordLive(slot, generation) || isLent(slot, generation);

test.serial('every kind grants memory that a view of its region shows, and frees it once', (t) => {
  each(t, (id, kind) => {
    const region = new Uint8Array(binding.regionBuffer(id.number, id.life, 0, MIB) as ArrayBuffer);
    const [one, two] = [allocate(id, 100), allocate(id, 100)];
    region.fill(1, one.offset, one.offset + 100);
    region.fill(2, two.offset, two.offset + 100);
    t.true(region.subarray(one.offset, one.offset + 100).every((byte) => byte === 1));
    t.is(one.offset % 8, 0);
    const [total, held, requested, , , blocks] = binding.allocatorStats(id.number, id.life);
    t.deepEqual([total, requested, blocks], [MIB, 200, 2]);
    t.true((held as number) >= 200);
    t.is(free(id, one), 'ok');
    if (kind !== ARENA) {
      t.false(isThere(one));
      t.true(isThere(two));
      t.is(free(id, one), 'ERR_OFFHEAP_DOUBLE_FREE');
    }
    t.is(binding.allocatorStats(id.number, id.life)[5], 1);
  });
});

test.serial('a refusal leaves its status and two figures', (t) => {
  each(t, (id) => {
    allocate(id, MIB + 1);
    t.is(status(), 'ERR_OUT_OF_RANGE');
    t.is(wide(4), MIB + 1);
    const largest = wide(6);
    t.true(largest > 0 && largest <= MIB);
    allocate(id, largest);
    for (;;) {
      allocate(id, largest);
      if (status() !== 'ok') break;
    }
    t.deepEqual([status(), wide(4)], ['ERR_OFFHEAP_REGION_FULL', largest]);
  });
  open('buddy', 1, MIB);
  t.is(status(), 'ERR_OFFHEAP_CONFIG_MISMATCH');
  open('', 1, MIB);
  t.is(status(), 'ERR_INVALID_ARG_VALUE');
  open('x', 9, MIB);
  t.is(status(), 'ERR_INVALID_ARG_VALUE');
  open('x', 1, 4096, { alignment: 20 });
  t.deepEqual([status(), wide(4), wide(6)], ['ERR_OUT_OF_RANGE', MIB, 4096]);
});

test.serial('a pin holds off free, reset and close', (t) => {
  each(t, (id, kind) => {
    const grant = allocate(id, 100);
    t.is(withHandle(id, grant, binding.allocatorPin), 'ok');
    if (kind !== ARENA) t.is(free(id, grant), 'ERR_OFFHEAP_IN_USE');
    for (const call of [binding.allocatorReset, binding.allocatorClose]) {
      t.is(act(id, call), 'ERR_OFFHEAP_IN_USE');
      t.is(wide(6), 1);
    }
    t.is(withHandle(id, grant, binding.allocatorUnpin), 'ok');
    t.is(act(id, binding.allocatorReset), 'ok');
    t.is(binding.allocatorStats(id.number, id.life)[1], 0);
  });
});

test.serial('epochs tell lives and resets without a call', (t) => {
  const epochs = new Int32Array(binding.allocatorEpochs() as ArrayBuffer);
  each(t, (id) => {
    const at = 4 * id.number;
    t.is(epochs[at], id.life);
    t.is(id.life % 2, 1);
    const resets = epochs[at + 1] as number;
    act(id, binding.allocatorReset);
    t.is(epochs[at + 1], resets + 1);
    act(id, binding.allocatorClose);
    t.is(epochs[at], id.life + 1);
    allocate(id, 1);
    t.is(status(), 'ERR_OFFHEAP_CLOSED');
    t.is(binding.regionBuffer(id.number, id.life, 0, 8), undefined);
    t.is(status(), 'ERR_OFFHEAP_CLOSED');
    t.is(binding.allocatorStats(id.number, id.life).length, 0);
  });
});

test.serial("an arena's generations tell what a rewind ended", (t) => {
  const id = open('frames', ARENA, MIB);
  const generations = new Int32Array(binding.arenaGenerations(id.number, id.life) as ArrayBuffer);
  const lives = ({ slot, generation }: Grant): boolean => generations[slot] === generation;
  const before = allocate(id, 100);
  t.is(act(id, binding.allocatorMark), 'ok');
  const mark = [word(1), word(2), word(3)];
  const after = allocate(id, 100);
  t.true(lives(before) && lives(after));
  const rewind = (): string => {
    T.set(mark, ARGUMENT + 2);
    return act(id, binding.allocatorRewind);
  };
  t.is(rewind(), 'ok');
  t.true(lives(before));
  t.false(lives(after));
  t.is(free(id, after), 'ERR_OFFHEAP_USE_AFTER_FREE');
  t.is(act(id, binding.allocatorReset), 'ok');
  t.false(lives(before));
  t.is(rewind(), 'ERR_INVALID_ARG_VALUE');
  const slab = open('slab', 1, MIB);
  t.is(act(slab, binding.allocatorMark), 'ERR_OFFHEAP_NOT_SUPPORTED');
  t.is(binding.arenaGenerations(slab.number, slab.life), undefined);
});

test.serial('a full ring that overwrites ends its oldest grants', (t) => {
  const id = open('log', RING, 64_000, { overwrite: 1 });
  const grants = Array.from({ length: 10 }, () => allocate(id, 6400));
  allocate(id, 6400);
  t.is(status(), 'ok');
  t.deepEqual(grants.map(({ slot, generation }) => isRecordLive(slot, generation)), [false, ...Array.from({ length: 9 }, () => true)]);
});

const ROW_FIELDS = 14;

test.serial('grants are rows with owner and thread; an arena is one', (t) => {
  each(t, (id, kind) => {
    const grants = [allocate(id, 100), allocate(id, 200)];
    const numbers = binding.rows();
    const rows = Array.from({ length: numbers.length / ROW_FIELDS }, (_, row) => numbers.subarray(row * ROW_FIELDS, (row + 1) * ROW_FIELDS));
    const one = kind === ARENA || kind === RING;
    rows.sort((a, b) => (a[2] as number) - (b[2] as number));
    t.deepEqual(rows.map((row) => row[2]), one ? [300] : [100, 200]);
    for (const row of rows) t.deepEqual([row[8], row[9], row[12]], [2, id.number, 0]);
    if (!one) t.deepEqual(rows.map((row) => row[3]), grants.map(({ slot }) => binding.rowOf(slot)[3]));
    t.true(rows.every((row) => (row[3] as number) >= (row[2] as number)));
    act(id, binding.allocatorReset);
    t.is(binding.rows().length, 0);
  });
});

test.serial('what an ended worker held is back in its allocator', async (t) => {
  const ids = KINDS.map((name, kind) => open(name, kind, MIB));
  const worker = new Worker(new URL('_allocators-worker.mjs', import.meta.url));
  const held = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  t.is(held, 5);
  const blocks = (): (number | undefined)[] => ids.map((id) => binding.allocatorStats(id.number, id.life)[5]);
  t.deepEqual(blocks(), [1, 1, 0, 1, 1, 1]);
  await worker.terminate();
  t.deepEqual(blocks(), [0, 0, 0, 0, 0, 0]);
});

test.serial('a region above 4 GiB is shown in windows', (t) => {
  const total = 5 * 2 ** 30;
  const id = open('large', 5, total);
  t.is(status(), 'ok');
  const low = allocate(id, 4.5 * 2 ** 30);
  const high = allocate(id, MIB);
  t.true(high.offset > 2 ** 32 && low.offset === 0);
  const window = new Uint8Array(binding.regionBuffer(id.number, id.life, high.offset, MIB) as ArrayBuffer);
  window[MIB - 1] = 7;
  t.is(window[MIB - 1], 7);
  t.is(binding.regionBuffer(id.number, id.life, total - 8, 16), undefined);
  t.is(status(), 'ERR_OUT_OF_RANGE');
  t.is(free(id, high), 'ok');
});
