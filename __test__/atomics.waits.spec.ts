// Properties of waits for a word, in blocks of every kind and in memory of all six types of allocators:
// - 'ok' after a notify, 'not-equal' at once, 'timed-out' when nobody came; numbers compare 4 bytes, bigints 8
// - who came first is woken first, at most so many as asked, in this thread and in others, and each is counted once
// - whoever waits pins its memory, until the wait is over, and no longer
// - what is wrong with a call of waitAsync rejects and never throws; nobody waits then
// - threads that wake each other miss nothing, also when they cannot send messages; who has ended is not counted
// That waits keep a process alive, and only while they last, is proved by programs in misuse/.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { DirectMemoryManager as Manager, MemoryPool, OffHeapError } from '../index.js';
import type { MemoryBlock, NativeMemory } from '../index.js';
import { MIB, TYPES, closeAfterEach, open, refuses } from './_allocators.js';

const workers: Worker[] = [];
test.afterEach.always('workers end first', async () => {
  for (const worker of workers.splice(0)) await worker.terminate();
});
closeAfterEach();

const IN_USE = 'ERR_OFFHEAP_IN_USE';
const NONE = Symbol('none');

interface Made {
  readonly memory: NativeMemory;
  /** Whatever would end the memory. */
  readonly ends: readonly [() => unknown, ...(() => unknown)[]];
  readonly close?: () => void;
}

function madeBlock(block: MemoryBlock): Made {
  return { memory: block, ends: [() => block.free(), () => Manager.freeMemory(block), () => block[Symbol.dispose](), () => Manager.reallocateMemory(block, 8)] };
}
const KINDS: { readonly [kind: string]: () => Made } = {
  'a small block': () => madeBlock(Manager.allocateMemory(64)),
  'a block of 40 KB': () => madeBlock(Manager.allocateMemory(40_000)),
  'a page-aligned block of 1 MiB': () => madeBlock(Manager.allocateMemory(MIB, 'page')),
  "a pool's block": () => {
    const pool = new MemoryPool(96);
    const block = pool.acquire();
    return { memory: block, ends: [() => block.free(), () => pool.release(block), () => block[Symbol.dispose]()], close: () => pool.close() };
  },
  ...Object.fromEntries(
    TYPES.map((type) => [
      `memory of a ${type} allocator`,
      (): Made => {
        const allocator = open(type);
        const memory = allocator.allocate(104);
        return { memory, ends: [() => memory.free(), () => allocator.free(memory), () => memory[Symbol.dispose](), () => allocator.reset(), () => allocator.close()] };
      },
    ]),
  ),
};

/** The outcome of a wait that is over, {@link NONE} of one that is not. */
const now = async (wait: Promise<unknown>): Promise<unknown> => await Promise.race([wait, new Promise((resolve) => setImmediate(resolve, NONE))]);

async function rejects(t: ExecutionContext, act: () => Promise<unknown>, code: string, about?: string): Promise<void> {
  let promise: Promise<unknown> = Promise.resolve();
  t.notThrows(() => (promise = act()), `${about}: it rejects, and does not throw`);
  const instanceOf = code.startsWith('ERR_OFFHEAP_') ? OffHeapError : code === 'ERR_OUT_OF_RANGE' ? RangeError : TypeError;
  await t.throwsAsync(promise, { instanceOf, code }, about);
}

for (const [kind, make] of Object.entries(KINDS)) {
  for (const isViewed of [false, true]) {
    const where = `${kind}${isViewed ? ' that was viewed' : ''}`;
    test.serial(`a wait in ${where} ends ok, not equal or timed out, and pins the memory until then`, async (t) => {
      const { memory, ends, close } = make();
      memory.fill(0);
      if (isViewed) memory.bytes();
      memory.atomicStore('i64', 16, 2n ** 32n);
      t.is(await memory.waitAsync(0, 1), 'not-equal');
      t.is(await memory.waitAsync(16, 0n), 'not-equal', 'a bigint compares 8 bytes');
      t.is(await memory.waitAsync(16, 0, 0), 'timed-out', 'a number compares 4');
      t.is(await memory.waitAsync(16, 2n ** 32n, 10), 'timed-out');
      t.is(memory.notify(16), 0, 'who gave up is not counted');
      const waits = [memory.waitAsync(0, 0), memory.waitAsync(16, 2n ** 32n), memory.waitAsync(16, 0, 2 ** 31 - 1)];
      for (const end of ends) refuses(t, end, IN_USE, `${end}`);
      Manager.freeAllMemory();
      t.true(memory.isValid());
      memory.atomicAdd('i32', 0, 1);
      t.is(await now(Promise.race(waits)), NONE, 'a change alone wakes nobody');
      t.is(memory.notify(0), 1);
      t.is(await waits[0], 'ok');
      for (const end of ends) refuses(t, end, IN_USE, `${end}`);
      t.is(memory.notify(16), 2);
      t.deepEqual(await Promise.all(waits), ['ok', 'ok', 'ok']);
      t.is(memory.notify(16), 0);
      t.notThrows(ends[0], 'nothing pins it any more');
      t.false(memory.isValid());
      close?.();
    });
  }

  test.serial(`in ${kind} who came first is woken first, and as many as asked`, async (t) => {
    const { memory, ends, close } = make();
    memory.fill(0);
    const order: number[] = [];
    const waits = [0, 1, 2, 3, 4, 5].map(async (index) => {
      const word = index % 2 === 0 ? 0 : 8;
      const outcome = await memory.waitAsync(word, index > 3 ? 0n : 0, index === 2 ? 0 : undefined); // the third has given up
      if (outcome === 'ok') order.push(index);
      return outcome;
    });
    t.deepEqual([memory.notify(0, 0), memory.notify(4), memory.notify(16)], [0, 0, 0]);
    t.is(await waits[2], 'timed-out');
    t.deepEqual(order, []);
    t.deepEqual([memory.notify(8, 1), memory.notify(0, 1)], [1, 1]);
    await Promise.all([waits[0], waits[1]]);
    t.deepEqual(order, [1, 0]);
    t.deepEqual([memory.notify(8, 2), memory.notify(0, Infinity), memory.notify(0), memory.notify(8, undefined)], [2, 1, 0, 0]);
    await Promise.all(waits);
    t.deepEqual(order, [1, 0, 3, 5, 4]);
    ends[0]();
    close?.();
  });

  test.serial(`in ${kind} what is wrong with a wait rejects, and with a wake throws, and nobody waits`, async (t) => {
    const { memory, ends, close } = make();
    memory.fill(0);
    const TYPE: readonly unknown[] = ['0', null, {}, [], true, Symbol('0'), { valueOf: () => t.fail() }];
    const RANGE = [NaN, -1, 0.5, Infinity, -Infinity, 2 ** 53];
    for (const bad of [...TYPE, undefined, 0n]) {
      await rejects(t, () => memory.waitAsync(bad as never, 0), 'ERR_INVALID_ARG_TYPE', `offset ${typeof bad}`);
      if (typeof bad !== 'bigint') await rejects(t, () => memory.waitAsync(0, bad as never), 'ERR_INVALID_ARG_TYPE', `expected ${typeof bad}`);
      if (bad !== undefined) await rejects(t, () => memory.waitAsync(0, 0, bad as never), 'ERR_INVALID_ARG_TYPE', `timeoutMs ${typeof bad}`);
      refuses(t, () => memory.notify(bad as never), 'ERR_INVALID_ARG_TYPE');
      if (bad !== undefined) refuses(t, () => memory.notify(0, bad as never), 'ERR_INVALID_ARG_TYPE');
    }
    for (const bad of RANGE) {
      await rejects(t, () => memory.waitAsync(bad, 0), 'ERR_OUT_OF_RANGE', `offset ${bad}`);
      await rejects(t, () => memory.waitAsync(0, 0, bad), 'ERR_OUT_OF_RANGE', `timeoutMs ${bad}`);
      refuses(t, () => memory.notify(bad), 'ERR_OUT_OF_RANGE');
      if (bad !== Infinity && bad !== 2 ** 53) refuses(t, () => memory.notify(0, bad), 'ERR_OUT_OF_RANGE');
    }
    await rejects(t, () => memory.waitAsync(0, 0, 2 ** 31), 'ERR_OUT_OF_RANGE');
    for (const offset of [1, 2, 3, 6, memory.size - 3, memory.size, memory.size + 4]) {
      await rejects(t, () => memory.waitAsync(offset, 0), 'ERR_OUT_OF_RANGE', `${offset}`);
      refuses(t, () => memory.notify(offset), 'ERR_OUT_OF_RANGE', `${offset}`);
    }
    for (const offset of [4, 12, memory.size - 4]) await rejects(t, () => memory.waitAsync(offset, 0n), 'ERR_OUT_OF_RANGE', `${offset}`);
    t.is(memory.notify(0) + memory.notify(4), 0);
    t.notThrows(ends[0], 'nothing pins it');
    for (const bad of [0, 1, NaN, 'x']) {
      await rejects(t, () => memory.waitAsync(bad as number, 0), 'ERR_OFFHEAP_USE_AFTER_FREE');
      refuses(t, () => memory.notify(bad as number), 'ERR_OFFHEAP_USE_AFTER_FREE');
    }
    for (const forged of [Object.create(memory), { ...memory }, new Proxy(memory, {}), Object.getPrototypeOf(memory), null, undefined, 1, Buffer.alloc(64)] as never[]) {
      await rejects(t, () => Reflect.apply(memory.waitAsync, forged, [0, 0]), 'ERR_INVALID_ARG_TYPE');
      refuses(t, () => Reflect.apply(memory.notify, forged, [0]), 'ERR_INVALID_ARG_TYPE');
    }
    close?.();
  });
}

test.serial('numbers that are expected wrap as those that are stored', async (t) => {
  const block = Manager.allocateMemory(64, 'word', { zeroed: true });
  for (const [stored, expected] of [[5, 2 ** 32 + 5], [-1, 2 ** 32 - 1], [5, 5.9], [0, NaN], [0, -0]] as const) {
    block.atomicStore('i32', 0, stored);
    t.is(await block.waitAsync(0, expected, 0), 'timed-out', `${expected}`);
  }
  block.atomicStore('i64', 8, -1n);
  for (const expected of [-1n, 2n ** 64n - 1n, 2n ** 80n - 1n]) t.is(await block.waitAsync(8, expected, 0), 'timed-out');
  t.is(await block.waitAsync(8, 2n ** 32n - 1n, 0), 'not-equal');
});

test.serial('ten thousand waits for a hundred words are woken, each once', async (t) => {
  const block = Manager.allocateMemory(400, 'word', { zeroed: true });
  const waits = Array.from({ length: 10_000 }, (_, index) => block.waitAsync((index % 100) * 4, 0, index % 3 === 0 ? 60_000 : undefined));
  for (let word = 0; word < 100; word += 1) t.is(block.notify(word * 4, 60) + block.notify(word * 4), 100);
  t.deepEqual([...new Set(await Promise.all(waits))], ['ok']);
  block.free();
});

test.serial('a wait can be asked for, and wake others, as soon as one is over', async (t) => {
  const block = Manager.allocateMemory(8, 'word', { zeroed: true });
  const chain = async (): Promise<void> => {
    for (let round = 0; round < 100; round += 1) t.is(await block.waitAsync(0, 0), 'ok');
  };
  const chains = [chain(), chain()];
  let woken = 0;
  while (woken < 200) {
    woken += block.notify(0, 1);
    await Promise.resolve();
  }
  await Promise.all(chains);
  t.is(block.notify(0), 0);
  block.free();
});

test.serial('memory of a closed allocator has no words to wait for', async (t) => {
  for (const type of TYPES) {
    const allocator = open(type);
    const memory = allocator.allocate(64).fill(0);
    allocator.close();
    await rejects(t, () => memory.waitAsync(0, 0), 'ERR_OFFHEAP_CLOSED', type);
    refuses(t, () => memory.notify(0), 'ERR_OFFHEAP_CLOSED', type);
  }
});

/** A worker that reaches the words of main's memory. */
class Peer {
  readonly #worker: Worker;
  readonly #heard: unknown[] = [];
  #told: () => void = () => undefined;

  constructor(memory: { readonly name: string; readonly offset: number }, brokenChannel: boolean = false) {
    this.#worker = new Worker(new URL('_waits-peer.mjs', import.meta.url), { execArgv: ['--no-warnings'], workerData: { ...memory, total: MIB, length: 64, brokenChannel } });
    workers.push(this.#worker);
    this.#worker.on('message', (text) => {
      this.#heard.push(text);
      this.#told();
    });
  }

  async next(): Promise<unknown> {
    while (this.#heard.length === 0) await new Promise<void>((resolve) => (this.#told = resolve));
    return this.#heard.shift();
  }

  async ask(...order: unknown[]): Promise<unknown> {
    this.#worker.postMessage(order, []);
    return await this.next();
  }

  /** Ends it in one of three ways. */
  async end(how: 'end' | 'exit' | 'terminate'): Promise<void> {
    const ended = once(this.#worker, 'exit');
    if (how === 'terminate') await this.#worker.terminate();
    else this.#worker.postMessage([how], []);
    await ended;
  }
}

function sharedWords(): { memory: NativeMemory; start: (brokenChannel?: boolean) => Promise<Peer> } {
  const allocator = open('arena', MIB);
  const memory = allocator.allocate(64).fill(0);
  const start = async (brokenChannel?: boolean): Promise<Peer> => {
    const peer = new Peer({ name: allocator.name, offset: memory.offset }, brokenChannel);
    if ((await peer.next()) !== 'ready') throw new Error('the worker is not ready');
    return peer;
  };
  return { memory, start };
}

test.serial('threads that wait for one word are woken in the order in which they came, by any of them', async (t) => {
  const { memory, start } = sharedWords();
  const [one, other] = [await start(), await start()];
  t.is(await one.ask('wait', 'a', 0, 0), 'waits a');
  const mine = memory.waitAsync(0, 0);
  t.is(await other.ask('wait', 'b', 0, 0n), 'waits b');
  t.is(await one.ask('wait', 'c', 0, 0, 60_000), 'waits c');
  t.is(memory.notify(0, 1), 1);
  t.is(await one.next(), 'a ok');
  t.is(await now(mine), NONE);
  t.is(await other.ask('notify', 0, 1), 1);
  t.is(await mine, 'ok');
  t.is(memory.notify(0), 2);
  t.deepEqual([await one.next(), await other.next()], ['c ok', 'b ok']);
  t.is(memory.notify(0), 0);
  await one.end('end');
  await other.end('end');
});

for (const isBroken of [false, true]) {
  test.serial(`threads that take turns miss no wake${isBroken ? ', though messages do not arrive' : ''}`, async (t) => {
    const ROUNDS = isBroken ? 5 : 500;
    const { memory, start } = sharedWords();
    const peer = await start(isBroken);
    const done = peer.ask('turns', ROUNDS);
    for (let round = 0; round < ROUNDS; round += 1) {
      memory.atomicStore('i32', 0, 2 * round + 1);
      memory.notify(0);
      while (memory.atomicLoad('i32', 0) !== 2 * round + 2) await memory.waitAsync(0, 2 * round + 1);
    }
    t.is(await done, 'done');
    await peer.end('end');
  });
}

for (const how of ['exit', 'terminate'] as const) {
  test.serial(`a thread that ended by ${how} while it waited is not counted, and takes no wake from others`, async (t) => {
    const { memory, start } = sharedWords();
    const [peer, other] = [await start(), await start()];
    for (const label of ['a', 'b']) t.is(await peer.ask('wait', label, 0, 0), `waits ${label}`);
    t.is(await other.ask('wait', 'c', 0, 0), 'waits c');
    const mine = memory.waitAsync(0, 0);
    await peer.end(how);
    t.is(memory.notify(0, 1), 1);
    t.is(await other.next(), 'c ok');
    t.is(memory.notify(0), 1);
    t.is(await mine, 'ok');
    await other.end('end');
  });
}
