// Properties of those who wait for a pool's block:
// - they are served in their order, by whatever brings a block back, also by the garbage collector or a limit that is lifted
// - abort before, during and after, time-outs, close with waiters and with blocks in use
// - code of the caller that acts in the middle of a call finds everything in order
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { DirectMemoryManager as Manager } from '../index.js';
import type { MemoryBlock } from '../index.js';
import { refuses } from './_allocators.js';
import { closeAfterEach, counts, open } from './_pools.js';

const LIMIT = 'ERR_OFFHEAP_LIMIT';
const CLOSED = 'ERR_OFFHEAP_CLOSED';

closeAfterEach();

test.serial('those who wait are served in their order, by whatever brings a block back, and nobody overtakes them', async (t) => {
  const pool = open(64, 8, 4, { limit: 2 });
  const [a, b] = [await pool.acquireAsync(), pool.acquire()];
  const served: number[] = [];
  const waits = [0, 1, 2].map(async (index) => {
    const block = await pool.acquireAsync({});
    served.push(index);
    return block;
  });
  t.is(pool.getStats().waiters, 3);
  refuses(t, () => pool.acquire(), LIMIT);
  a.free();
  b.bytes();
  pool.release(b);
  refuses(t, () => pool.acquire(), LIMIT);
  const first = await (waits[0] as Promise<MemoryBlock>);
  first[Symbol.dispose]();
  const rest = await Promise.all(waits.slice(1));
  t.deepEqual([served, counts(pool.getStats()).slice(1, 3)], [[0, 1, 2], [2, 0]]);
  for (const block of rest) pool.release(block);
});

test.serial('a wait ends with its signal before, during and after, and with its time-out', async (t) => {
  const pool = open(64, 8, 4, { limit: 1 });
  const block = await pool.acquireAsync({ signal: new AbortController().signal, timeoutMs: 0 });
  const early = new Error('early');
  t.is(await t.throwsAsync(pool.acquireAsync({ signal: AbortSignal.abort(early) })), early);
  const during = new AbortController();
  const waiting = pool.acquireAsync({ signal: during.signal, timeoutMs: 10_000 });
  during.abort();
  t.is(await waiting.catch((error: unknown) => (error as Error).name), 'AbortError');
  for (const timeoutMs of [0, 5]) {
    const error = await t.throwsAsync(pool.acquireAsync({ timeoutMs }), { code: 'ERR_OFFHEAP_TIMEOUT' });
    t.like(error, { timeoutMs });
  }
  const after = new AbortController();
  const late = pool.acquireAsync({ signal: after.signal, timeoutMs: 10_000 });
  t.is(pool.getStats().waiters, 1);
  pool.release(block);
  const next = await late;
  after.abort(); // nobody waits any more
  await sleep(5);
  t.deepEqual([next.isValid(), counts(pool.getStats()).slice(1, 3)], [true, [1, 0]]);
  pool.release(next);
});

test.serial('close turns waiters away, drops idle blocks, and leaves blocks in use valid', async (t) => {
  const pool = open(64, 8, 4, { limit: 3, label: 'closing' });
  const [plain, viewed, pinned] = [pool.acquire(), pool.acquire(), pool.acquire()];
  const bytes = viewed.bytes().fill(4);
  const pin = pinned.pin();
  const waiting = pool.acquireAsync();
  pool.close();
  t.notThrows(() => pool.close());
  await t.throwsAsync(waiting, { code: CLOSED, message: /MemoryPool 'closing' is closed/ });
  await t.throwsAsync(pool.acquireAsync(), { code: CLOSED });
  for (const act of [() => pool.acquire(), () => pool.release(plain), () => pool.clear(), () => pool.getStats()]) refuses(t, act, CLOSED);
  t.deepEqual([bytes[7], viewed.getInt8(7), plain.isValid(), Manager.getMemoryStats().activeBlocks], [4, 4, true, 3]);
  t.deepEqual(Manager.getAllocatedBlocks().map(({ kind, owner }) => [kind, owner]), Array.from({ length: 3 }, () => ['pool', "MemoryPool 'closing'"]));
  plain.free();
  Manager.freeMemory(viewed);
  t.deepEqual([bytes.length, viewed.isValid()], [0, false]);
  refuses(t, () => pinned.free(), 'ERR_OFFHEAP_IN_USE');
  pin[Symbol.dispose]();
  pinned.free();
  t.is(Manager.getMemoryStats().activeBlocks, 0);
});

test.serial('who waits is served by a block that was dropped, and by a limit that is lifted', async (t) => {
  const pool = open(64, 8, 4, { limit: 1 });
  (() => pool.acquire().bytes())();
  const collected = pool.acquireAsync({ timeoutMs: 20_000 });
  const collects = setInterval(() => globalThis.gc?.(), 20);
  const block = await collected;
  clearInterval(collects);
  t.deepEqual(counts(pool.getStats()).slice(1, 3), [1, 0]);
  const waiting = pool.acquireAsync({ timeoutMs: 20_000 });
  Manager.setLimit(10);
  t.notThrows(() => pool.release(block), 'the process refuses the next one, which goes on waiting');
  t.is(pool.getStats().waiters, 1);
  Manager.setLimit(null);
  pool.release(await waiting);
});

test.serial('callers who act in the middle of a call find everything in order', async (t) => {
  const pool = open(64, 8, 4, { limit: 1 });
  await t.throwsAsync(pool.acquireAsync({ get signal() { pool.close(); return undefined; } }), { code: CLOSED }); // oxlint-disable-line getter-return
  const other = open(64, 8, 4, { limit: 1 });
  const block = other.acquire();
  const hidden = new AbortController();
  hidden.signal.addEventListener('abort', (event) => event.stopImmediatePropagation());
  const aborted = other.acquireAsync({ signal: hidden.signal, timeoutMs: 20_000 });
  hidden.abort();
  t.is(await aborted.catch((error: unknown) => (error as Error).name), 'AbortError');
  const closing = new AbortController();
  closing.signal.addEventListener = () => other.close();
  await t.throwsAsync(other.acquireAsync({ signal: closing.signal }), { code: CLOSED });
  const throwing = new AbortController();
  const third = open(64, 8, 4, { limit: 1 });
  const held = third.acquire();
  throwing.signal.addEventListener = () => {
    throw new RangeError('mine');
  };
  await t.throwsAsync(third.acquireAsync({ signal: throwing.signal }), { message: 'mine' });
  const stuck = new AbortController();
  stuck.signal.removeEventListener = () => {
    throw new RangeError('mine');
  };
  const served = third.acquireAsync({ signal: stuck.signal });
  t.is(third.getStats().waiters, 1);
  held.free();
  t.deepEqual([(await served).isValid(), counts(third.getStats()).slice(1, 3)], [true, [1, 0]]);
  block.free();
});
