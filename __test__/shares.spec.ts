// Sharing: one block, several holders.
// - attach gives the same bytes in both directions, to an own handle with an own id, in a worker or here
// - each holder frees its own; views of one outlive another's free; the last one gives the memory back
// - a token attaches once, and not after its thread has ended; forged, cloned and stale ones are refused
// - threads see each other's atomic operations, and wake each other
// - whatever a worker's end is, this thread's holders keep their bytes, and figures return to where they were
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { DirectMemoryManager as Manager, MemoryBlock, MemoryPool, OffHeapError } from '../index.js';
import type { SharedToken } from '../index.js';
import { freeEverything } from './_settled.js';

interface Given {
  readonly index: number;
  readonly id: number;
  readonly address: bigint;
  readonly size: number;
  readonly label: string | undefined;
  readonly threadId: number;
}

const workers: Worker[] = [];

class Peer {
  readonly worker: Worker = new Worker(new URL('_shares-peer.mjs', import.meta.url), { execArgv: [] });

  constructor() {
    workers.push(this.worker);
  }

  async ask(...order: unknown[]): Promise<{ readonly result?: unknown; readonly code?: string }> {
    const answer = once(this.worker, 'message');
    this.worker.postMessage(order, []);
    return ((await answer) as [{ result?: unknown; code?: string }])[0];
  }

  async get<Result>(...order: unknown[]): Promise<Result> {
    const { result, code } = await this.ask(...order);
    if (code !== undefined) throw new Error(code);
    return result as Result;
  }

  async ended(...order: unknown[]): Promise<void> {
    const exit = once(this.worker, 'exit');
    this.worker.postMessage(order, []);
    await exit;
  }
}

const figures = (): number[] => {
  const { activeBlocks, currentAllocated } = Manager.getMemoryStats();
  return [activeBlocks, currentAllocated];
};
const refuses = (t: ExecutionContext, act: () => unknown, code: string): unknown =>
  code.startsWith('ERR_OFFHEAP') ? t.throws(act, { instanceOf: OffHeapError, code }) : t.throws(act, { instanceOf: TypeError, code });
/** What ended threads left, in other tests too. */
const left = (): number[] => [Manager.getMemoryStats().escaped, Manager.getAllocatedBlocks().length];
const zeroed = (size: number): MemoryBlock => Manager.allocateMemory(size, undefined, { zeroed: true, label: 'shared' });

test.afterEach.always('nothing is left', async (t) => {
  for (const worker of workers.splice(0)) await worker.terminate();
  await freeEverything();
  t.deepEqual(figures(), [0, 0]);
});

for (const [size, alignment] of [[64, undefined], [40_000, 'page'], [5_000_000, 4096]] as const) {
  test.serial(`${size} bytes are the same in a worker, in both directions`, async (t) => {
    const block = Manager.allocateMemory(size, alignment, { zeroed: true, label: 'shared' });
    block.setUint8(0, 1);
    const peer = new Peer();
    const theirs = await peer.get<Given>('attach', block.share());
    t.deepEqual([theirs.address, theirs.size, theirs.label], [block.address, size, 'shared']);
    t.not(theirs.id, block.id);
    t.is(await peer.get('read', theirs.index, 0), 1);
    await peer.get('write', theirs.index, size - 1, 2);
    t.is(block.getUint8(size - 1), 2);
    const view = block.bytes();
    const theirView = await peer.get<number>('view', theirs.index);
    await peer.get('poke', theirView, 7, 3);
    t.is(view[7], 3);
    view[8] = 4;
    t.is(await peer.get('read', theirs.index, 8), 4);
    t.deepEqual(figures(), [2, 2 * size], 'each holder counts');
    t.deepEqual(new Set(Manager.getAllocatedBlocks().map(({ threadId }) => threadId)), new Set([0, theirs.threadId]));
    block.free();
    t.is(view.length, 0);
    t.is(await peer.get('length', theirView), size, 'views of one outlive the free of another');
    await peer.get('poke', theirView, 9, 5);
    t.is(await peer.get('read', theirs.index, 9), 5);
    await peer.get('free', theirs.index);
    t.is(await peer.get('length', theirView), 0);
    t.deepEqual(await peer.ask('read', theirs.index, 0), { code: 'ERR_OFFHEAP_USE_AFTER_FREE' });
    t.deepEqual(await peer.ask('free', theirs.index), { code: 'ERR_OFFHEAP_DOUBLE_FREE' });
  });
}

test.serial('a holder here is as good as one in a worker', (t) => {
  const block = zeroed(100);
  const other = MemoryBlock.attach(block.share());
  t.true(other instanceof MemoryBlock);
  t.is(other.alignment, block.alignment);
  other.fill(9);
  t.is(block.getUint8(99), 9);
  t.is(other.toArrayBuffer().byteLength, 100);
  const third = MemoryBlock.attach(other.share());
  block.free();
  other.free();
  t.is(third.getUint8(0), 9);
  third.free();
});

test.serial('a token that was never attached holds the memory, shows in reports, and can be freed with all blocks', (t) => {
  const block = zeroed(100);
  const token = block.share();
  block.free();
  t.deepEqual(figures(), [1, 100]);
  t.deepEqual(Manager.getAllocatedBlocks().map(({ label, size }) => [label, size]), [['shared', 100]]);
  t.is(Manager.freeAllMemory(), 1);
  refuses(t, () => MemoryBlock.attach(token), 'ERR_INVALID_ARG_VALUE');
});

test.serial('a token attaches once, wherever its copies are', async (t) => {
  const block = zeroed(100);
  const token = block.share();
  const peer = new Peer();
  const copies = [structuredClone(token), { ...token }, JSON.parse(JSON.stringify(token)) as SharedToken];
  const { index } = await peer.get<Given>('attach', token);
  for (const copy of [token, ...copies]) {
    refuses(t, () => MemoryBlock.attach(copy), 'ERR_INVALID_ARG_VALUE');
    t.deepEqual(await peer.ask('attach', copy), { code: 'ERR_INVALID_ARG_VALUE' });
  }
  await peer.get('free', index);
  refuses(t, () => MemoryBlock.attach(token), 'ERR_INVALID_ARG_VALUE');
});

test.serial('forged tokens and handles that were posted are refused, and nothing is lost', async (t) => {
  const block = zeroed(100);
  const token = block.share();
  const { type, key } = token;
  const wrong = [undefined, null, 8, 'x', key, {}, [], block, { key }, { type }, { type, key: 8 }, { type: 'x', key }];
  for (const value of wrong) refuses(t, () => MemoryBlock.attach(value as never), 'ERR_INVALID_ARG_TYPE');
  const unknown = ['', '0'.repeat(32), 'g'.repeat(32), `${key}0`, key.slice(1), key.toUpperCase() === key ? 'x' : key.toUpperCase()];
  for (const forged of unknown) refuses(t, () => MemoryBlock.attach({ ...token, key: forged }), 'ERR_INVALID_ARG_VALUE');
  const peer = new Peer();
  t.deepEqual(await peer.ask('attach', structuredClone(block)), { code: 'ERR_INVALID_ARG_TYPE' }, 'a handle arrives as a plain object');
  t.deepEqual(figures(), [2, 200]);
  MemoryBlock.attach(token).free();
});

test.serial('a token ends with the thread that made it; what was attached before stays', async (t) => {
  for (const end of [['end'], ['exit', 0]]) {
    const peer = new Peer();
    const index = await peer.get<number>('allocate', 1000);
    await peer.get('write', index, 0, 7);
    const held = MemoryBlock.attach(await peer.get<SharedToken>('share', index));
    const late = await peer.get<SharedToken>('share', index);
    await peer.ended(...end);
    refuses(t, () => MemoryBlock.attach(late), 'ERR_INVALID_ARG_VALUE');
    t.deepEqual([held.getUint8(0), ...figures()], [7, 1, 1000]);
    held.free();
  }
});

test.serial('a worker that is terminated leaves this holder its bytes, and no other memory in its place', async (t) => {
  const block = zeroed(1000);
  for (const views of [false, true]) {
    const { escaped } = Manager.getMemoryStats();
    const peer = new Peer();
    const { index } = await peer.get<Given>('attach', block.share());
    if (views) await peer.get('view', index);
    await peer.worker.terminate();
    t.deepEqual(figures(), [1, 1000]);
    t.is(Manager.getMemoryStats().escaped - escaped, views ? 1000 : 0, 'what was viewed is kept and counted');
  }
  const { address } = block;
  block.free();
  const others = Array.from({ length: 600 }, () => Manager.allocateMemory(1000));
  t.false(others.some((other) => other.address === address), 'somebody may still see it');
  for (const other of others) other.free();
});

test.serial('dead, escaped and foreign blocks cannot be shared', (t) => {
  const block = zeroed(100);
  block.free();
  refuses(t, () => block.share(), 'ERR_OFFHEAP_USE_AFTER_FREE');
  refuses(t, () => MemoryBlock.prototype.share.call({} as MemoryBlock), 'ERR_INVALID_ARG_TYPE');
  if ('transfer' in ArrayBuffer.prototype) {
    const away = zeroed(100);
    const buffer = structuredClone(away.toArrayBuffer(), { transfer: [away.toArrayBuffer()] });
    refuses(t, () => away.share(), 'ERR_OFFHEAP_ESCAPED');
    away.free();
    t.is(buffer.byteLength, 100);
  }
});

test.serial('sharing counts against the limit, and a refusal changes nothing', (t) => {
  const block = zeroed(1000);
  Manager.setLimit(1500);
  try {
    refuses(t, () => block.share(), 'ERR_OFFHEAP_LIMIT');
    t.deepEqual(figures(), [1, 1000]);
  } finally {
    Manager.setLimit(null);
  }
});

test.serial('a shared block that is reallocated leaves its memory to the others', (t) => {
  const block = zeroed(100);
  const other = MemoryBlock.attach(block.share());
  block.fill(1);
  const view = other.bytes();
  const moved = Manager.reallocateMemory(block, 101);
  moved.fill(2);
  t.deepEqual([view[0], other.getUint8(99), moved.getUint8(0)], [1, 1, 2]);
  const own = Manager.reallocateMemory(other, 99);
  t.deepEqual([view.length, own.getUint8(98)], [0, 1]);
});

test.serial("a pool's block that is shared leaves the pool: nothing is zeroed under the other holder", (t) => {
  const pool = new MemoryPool(256);
  const block = pool.acquire().fill(5);
  const other = MemoryBlock.attach(block.share());
  pool.release(block);
  t.deepEqual([pool.getStats().inUse, pool.getStats().available, other.getUint8(255)], [0, 0, 5]);
  const next = pool.acquire();
  t.not(next.address, other.address);
  next.free();
  other.free();
  pool.close();
});

test.serial('pins are of one holder', (t) => {
  const block = zeroed(100);
  const other = MemoryBlock.attach(block.share());
  const pin = other.pin();
  block.free();
  refuses(t, () => other.free(), 'ERR_OFFHEAP_IN_USE');
  pin[Symbol.dispose]();
  other.free();
});

test.serial('views of a holder that is freed never show what comes after', (t) => {
  const block = zeroed(64);
  const seen: Uint8Array[] = [];
  for (let turn = 0; turn < 100; turn += 1) {
    const other = MemoryBlock.attach(block.share());
    const view = other.bytes();
    view[0] = turn;
    seen.push(view);
    other.free();
    t.is(block.getUint8(0), turn);
  }
  t.true(seen.every((view) => view.length === 0));
});

test.serial('threads count together with atomic operations', async (t) => {
  const block = zeroed(16);
  const peers = [new Peer(), new Peer()];
  const given = await Promise.all(peers.map(async (peer) => await peer.get<Given>('attach', block.share())));
  const counting = peers.map(async (peer, index) => await peer.get('many', given[index]?.index, 50_000));
  for (let turn = 0; turn < 50_000; turn += 1) block.atomicAdd('i64', 8, 1n);
  await Promise.all(counting);
  t.is(block.atomicLoad('i64', 8), 150_000n);
});

test.serial('a thread wakes another that waits', async (t) => {
  const block = zeroed(16);
  const peer = new Peer();
  const { index } = await peer.get<Given>('attach', block.share());
  const woken = block.waitAsync(0, 0);
  await peer.get('add', index, 0, 1);
  t.is(await peer.get('notify', index, 0), 1);
  t.is(await woken, 'ok');
  const theirs = peer.get('wait', index, 4, 0);
  while (block.notify(4) === 0) await new Promise((resolve) => setTimeout(resolve, 5)); // until it waits
  t.is(await theirs, 'ok');
  t.is(await peer.get('wait', index, 4, 1), 'not-equal');
  t.is(await peer.get('wait', index, 4, 0, 1), 'timed-out');
});

for (const how of ['exit', 'terminate'] as const) {
  test.serial(`a worker that ends while it waits (${how}) leaves the memory to the others`, async (t) => {
    const before = left();
    const block = zeroed(16);
    const peer = new Peer();
    const { index } = await peer.get<Given>('attach', block.share());
    peer.worker.postMessage(['wait', index, 0, 0], []);
    await peer.get('read', index, 0); // the wait stands
    if (how === 'exit') await peer.ended('exit', 0);
    else await peer.worker.terminate();
    for (let turn = 0; turn < 100 && figures()[0] !== 1; turn += 1) await new Promise((resolve) => setTimeout(resolve, 5));
    t.deepEqual([figures(), block.notify(0)], [[1, 16], 0]);
    block.free();
    t.deepEqual(left(), before);
  });
}

test.serial('text() and copyOut() are safe while another thread writes', async (t) => {
  const block = zeroed(100_000);
  const peer = new Peer();
  const { index } = await peer.get<Given>('attach', block.share());
  const writing = peer.get('scribble', index, 5000);
  for (let read = 0; read < 50; read += 1) {
    t.is(block.copyOut().length, 100_000);
    t.true(block.text().length > 0);
    await new Promise(setImmediate);
  }
  await writing;
});

test.serial('a dropped holder that was viewed is collected, and the memory stays for the other', async (t) => {
  const block = zeroed(100);
  const drop = (): void => {
    MemoryBlock.attach(block.share()).bytes()[0] = 6;
  };
  drop();
  t.is(Manager.getMemoryStats().activeBlocks, 2);
  for (let turn = 0; turn < 50 && Manager.getMemoryStats().activeBlocks === 2; turn += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  t.is(Manager.getMemoryStats().activeBlocks, 1);
  t.is(block.getUint8(0), 6);
});
