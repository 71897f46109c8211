// Properties of MemoryPool:
// - every acquire gives a fresh handle; stale, twice released, foreign, pinned and forged ones are refused, and counts stay exact
// - a block's own free() and dispose bring it back; its views die; nobody else may free it
// - no later owner sees what an earlier one wrote; viewed blocks take turns
// - rows and statistics name the pool; dropped blocks, dropped pools and ended workers leave nothing; the seed's snippet runs
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import test from 'ava';
import { AdvancedMemoryAllocator, AlignmentMode, DirectMemoryManager as Manager, MemoryBlock, MemoryPool } from '../index.js';
import { binding } from '../facade/native.js';
import { refuses } from './_allocators.js';
import { closeAfterEach, counts, open } from './_pools.js';

const RANGE = 'ERR_OUT_OF_RANGE';
const TYPE = 'ERR_INVALID_ARG_TYPE';
const FOREIGN = 'ERR_OFFHEAP_FOREIGN_BLOCK';
const TWICE = 'ERR_OFFHEAP_DOUBLE_FREE';
const LIMIT = 'ERR_OFFHEAP_LIMIT';

closeAfterEach();

test.serial('each acquire gives a fresh handle, and a stale one never comes near the new owner', (t) => {
  const pool = open(1024, 'cache-line', 50);
  const first = pool.acquire();
  t.true(first instanceof MemoryBlock);
  t.deepEqual([first.size, first.alignment, Number(first.address % 64n)], [1024, 'cache-line', 0]);
  pool.release(first);
  const second = pool.acquire();
  t.not(second, first);
  t.deepEqual([second.address, second.id === first.id], [first.address, false]);
  refuses(t, () => pool.release(first), TWICE);
  refuses(t, () => first.free(), TWICE);
  refuses(t, () => first.getInt8(0), 'ERR_OFFHEAP_USE_AFTER_FREE');
  t.notThrows(() => first[Symbol.dispose]());
  t.true(second.isValid() && !first.isValid() && first.freed && first.freedTimestamp > 0);
  t.deepEqual(counts(pool.getStats()), [0, 1, 0, 1, 1]);
});

test.serial('a block comes back by release, by its own free, and at the end of its scope; its views die', (t) => {
  const pool = open(256, 8, 4);
  const views = [];
  for (const back of [(block: MemoryBlock) => pool.release(block), (block: MemoryBlock) => block.free(), (block: MemoryBlock) => block[Symbol.dispose]()]) {
    for (const isViewed of [false, true]) {
      const block = pool.acquire();
      block.setInt32(0, 5);
      if (isViewed) views.push(block.bytes(), block.view(Float64Array), new Uint8Array(block.toArrayBuffer()));
      back(block);
      t.false(block.isValid());
    }
  }
  t.true(views.every((view) => view.length === 0));
  {
    using block = pool.acquire();
    block.fill(1);
  }
  const { inUse, hits, misses } = pool.getStats();
  t.deepEqual([inUse, hits + misses], [0, 7]);
});

test.serial('a block belongs to its pool: others refuse it, and it refuses what is not its own', (t) => {
  const [pool, other] = [open(64, 8, 4, { label: 'frames' }), open(64)];
  const [mine, plain] = [pool.acquire(), Manager.allocateMemory(64)];
  const viewed = pool.acquire();
  const bytes = viewed.bytes().fill(3);
  const before = counts(pool.getStats());
  for (const block of [mine, viewed]) {
    t.regex(refuses(t, () => Manager.freeMemory(block), FOREIGN).message, /belongs to MemoryPool 'frames', not to DirectMemoryManager/);
    t.regex(refuses(t, () => other.release(block), FOREIGN).message, /belongs to MemoryPool 'frames', not to MemoryPool\./);
    refuses(t, () => Manager.reallocateMemory(block, 128), FOREIGN);
  }
  t.regex(refuses(t, () => pool.release(plain), FOREIGN).message, /belongs to DirectMemoryManager, not to MemoryPool 'frames'/);
  t.deepEqual([bytes.length, bytes[9], viewed.getInt8(9)], [64, 3, 3], 'a refusal leaves the views alone');
  const pin = mine.pin();
  for (const act of [() => pool.release(mine), () => mine.free(), () => mine[Symbol.dispose]()]) refuses(t, act, 'ERR_OFFHEAP_IN_USE');
  pin[Symbol.dispose]();
  for (const bad of [null, undefined, 1, {}, Object.create(MemoryBlock.prototype), { ...mine }]) refuses(t, () => pool.release(bad as never), TYPE);
  t.deepEqual([counts(pool.getStats()), Manager.freeAllMemory()], [before, 1], 'freeAllMemory() frees the plain block only');
  t.true(mine.isValid() && viewed.isValid());
});

test.serial('what one owner wrote the next one never reads', (t) => {
  for (const isViewed of [false, true]) {
    for (const options of [{}, { zeroed: true }, { zeroed: true, zeroOnRelease: false }]) {
      const pool = open(4000, 'word', 2, options);
      const seen = new Set<bigint>(); // fresh memory is uninitialised, as allocateMemory's
      for (let round = 0; round < 8; round += 1) {
        const block = pool.acquire();
        if (seen.has(block.address) || options.zeroed) t.true(block.copyOut().every((byte) => byte === 0), `${isViewed} ${inspect(options)} ${round}`);
        if (isViewed) block.bytes().fill(9);
        else block.fill(9);
        seen.add(block.address);
        pool.release(block);
      }
      t.true(seen.size <= 2);
    }
  }
  const raw = open(100, 'word', 2, { zeroOnRelease: false });
  const block = raw.acquire();
  block.fill(7);
  raw.release(block);
  t.is(raw.acquire().getInt8(99), 7, 'only when it was asked for');
});

test.serial('what was copied or set into a block the next owner never reads, whichever way the bytes went', (t) => {
  const [source, seen] = [0, 1].map(() => Manager.allocateMemory(4000).fill(5)) as [MemoryBlock, MemoryBlock];
  seen.bytes();
  const ways: readonly ((block: MemoryBlock) => void)[] = [
    (block) => Manager.copyMemory(source, 0, block, 0, 4000),
    (block) => Manager.copyMemory(source, 0, block, 0, 4000, 'non-temporal'),
    (block) => Manager.copyMemory(Buffer.alloc(4000, 5), 0, block, 0, 4000),
    (block) => Manager.setMemory(block, 0, 4000, 5),
    (block) => Manager.setMemory(block, 0, 4000, new Uint8Array([5, 6])),
    (block) => source.copyTo(block),
    (block) => {
      block.bytes();
      for (let turn = 0; turn < 8; turn += 1) Manager.copyMemory(seen, 0, block, 0, 4000); // often: then JavaScript does it by itself
    },
  ];
  for (const [index, write] of ways.entries()) {
    const pool = open(4000, 'word', 1, { zeroed: true });
    for (let round = 0; round < 3; round += 1) {
      const block = pool.acquire();
      for (let at = 0; at < 4000; at += 8) if (block.getBigUint64(at) !== 0n) t.fail(`way ${index}, round ${round}, at ${at}`); // makes no native call
      write(block);
      t.is(block.getUint8(3998), 5);
      pool.release(block);
    }
  }
  source.free();
  seen.free();
});

test.serial('viewed blocks take turns, so that what comes late meets no new owner', (t) => {
  const pool = open(512, 8, 3);
  const addresses = Array.from({ length: 9 }, () => {
    const block = pool.acquire();
    block.bytes()[0] = 1;
    pool.release(block);
    return block.address;
  });
  t.is(new Set(addresses.slice(0, 3)).size, 3);
  t.deepEqual(addresses.slice(3, 6), addresses.slice(0, 3));
  t.deepEqual(counts(pool.getStats()), [3, 0, 0, 6, 3]);
});

test.serial('the limit holds, idle blocks are kept up to the maximum, and clear drops them', (t) => {
  const pool = open(128, 16, 2, { limit: 4 });
  const blocks = Array.from({ length: 4 }, () => pool.acquire());
  const error = refuses(t, () => pool.acquire(), LIMIT);
  t.like(error, { requested: 1, available: 0, limit: 4 });
  for (const block of blocks) pool.release(block);
  t.deepEqual(counts(pool.getStats()), [2, 0, 0, 0, 4]);
  pool.clear();
  t.deepEqual(counts(pool.getStats()), [0, 0, 0, 0, 4]);
  const none = open(128, 16, 0);
  none.release(none.acquire());
  t.is(none.getStats().available, 0);
  Manager.setLimit(100);
  t.like(refuses(t, () => pool.acquire(), LIMIT), { requested: 128, available: 100 });
  Manager.setLimit(null);
  t.deepEqual(counts(pool.getStats()), [0, 0, 0, 0, 4]);
});

test.serial('rows, statistics and texts name the pool', (t) => {
  const before = Manager.getMemoryStats();
  const pool = open(1000, 'page', 50, { label: 'frames', limit: 200 });
  const block = pool.acquire();
  const [row] = Manager.getAllocatedBlocks();
  t.like(row, { id: block.id, kind: 'pool', owner: "MemoryPool 'frames'", size: 1000, actualSize: 4096 < block.actualSize ? block.actualSize : row?.actualSize, label: 'frames', threadId: 0 });
  t.like(Manager.getMemoryStats(), { activeBlocks: before.activeBlocks + 1, currentAllocated: before.currentAllocated + 1000 });
  t.is(block.label, 'frames');
  t.is(`${pool}`, "MemoryPool['frames', 1000 B blocks, 50 idle at most, limit 200]");
  t.is(inspect(open(64)), 'MemoryPool[64 B blocks, 64 idle at most]');
  t.is(inspect(Object.create(MemoryPool.prototype)), 'MemoryPool {}');
  const stats = pool.getStats();
  t.true(Object.isFrozen(stats));
  t.regex(`${stats}`, /^PoolStats\[blockSize=1000 B, available=0, inUse=1, maxSize=50, waiters=0, hits=0, misses=1\]$/);
  pool.release(block);
  t.is(Manager.getMemoryStats().activeBlocks, before.activeBlocks);
});

test.serial('bad arguments and forged pools are refused', async (t) => {
  for (const size of [0, -1, 1.5, NaN, 2 ** 53]) refuses(t, () => new MemoryPool(size), RANGE);
  for (const size of ['8', null, undefined, 8n, {}]) refuses(t, () => new MemoryPool(size as never), TYPE);
  for (const most of [-1, 1.5, NaN, 2 ** 53]) refuses(t, () => new MemoryPool(8, 8, most), RANGE);
  refuses(t, () => new MemoryPool(8, 3), 'ERR_INVALID_ARG_VALUE');
  for (const options of [null, [], 'x', { zeroed: 'yes' }, { zeroOnRelease: 1 }, { label: 5 }, { limit: '4' }]) {
    refuses(t, () => new MemoryPool(8, 8, 1, options as never), TYPE);
  }
  refuses(t, () => new MemoryPool(8, 8, 1, { limit: 0 }), RANGE);
  refuses(t, () => new MemoryPool(2 ** 52), 'ERR_OFFHEAP_OUT_OF_MEMORY');
  const pool = open(8);
  for (const options of [null, [], { signal: {} }, { signal: null }, { timeoutMs: '5' }]) {
    await t.throwsAsync(pool.acquireAsync(options as never), { code: TYPE });
  }
  for (const timeoutMs of [-1, NaN, 1.5, 2 ** 31]) await t.throwsAsync(pool.acquireAsync({ timeoutMs }), { code: RANGE });
  for (const name of ['acquire', 'release', 'clear', 'close', 'getStats', 'toString'] as const) {
    refuses(t, () => Reflect.apply(MemoryPool.prototype[name], {}, [{}]), TYPE, name);
  }
  await t.throwsAsync(MemoryPool.prototype.acquireAsync.call({} as never), { code: TYPE });
  t.deepEqual(counts(pool.getStats()), [0, 0, 0, 0, 0]);
});

test.serial('a block that was dropped with its views comes back to its pool', async (t) => {
  const pool = open(64 * 1024, 8, 8);
  (() => pool.acquire().bytes().fill(1))();
  for (let turn = 0; turn < 200 && pool.getStats().inUse > 0; turn += 1) {
    globalThis.gc?.();
    await sleep(5);
    Manager.getMemoryStats(); // looks again at blocks without buffers
  }
  t.deepEqual(counts(pool.getStats()).slice(0, 2), [1, 0]);
});

/** Two pools that nobody has any more: a block in use of one, one of the other, and who waits for that. */
function droppedPools(): [MemoryBlock, MemoryBlock, Promise<MemoryBlock>] {
  const idle = new MemoryPool(4096, 8, 8);
  const [block, freed] = [idle.acquire(), idle.acquire()];
  freed.free();
  const waited = new MemoryPool(64, 8, 8, { limit: 1 });
  return [block, waited.acquire(), waited.acquireAsync()];
}

/** Live blocks that are no open pool's. */
const plain = (): number => binding.blocksOf(binding.isolateNumber(), false).length / 3;

test.serial('a pool that was dropped keeps no idle blocks; its blocks in use and those who wait do not notice', async (t) => {
  const [block, held, waiting] = droppedPools();
  block.fill(3);
  for (let turn = 0; turn < 200 && plain() === 0; turn += 1) {
    globalThis.gc?.();
    await sleep(5);
  }
  t.is(plain(), 1, 'the one in use of the pool that nobody waits for');
  t.is(block.getUint8(4095), 3);
  Manager.freeMemory(block);
  held.free();
  const served = await waiting;
  t.true(served.isValid());
  served.free();
});

test.serial('a worker that ends leaves none of its pools and blocks', async (t) => {
  const source = `
    const { MemoryPool } = require(${JSON.stringify(new URL('../dist/index.js', import.meta.url).pathname)});
    const pool = new MemoryPool(4096, 8, 8, { label: 'of the worker' });
    const blocks = Array.from({ length: 5 }, () => pool.acquire());
    blocks[0].bytes().fill(1);
    pool.release(blocks[1]);
  `;
  const worker = new Worker(source, { eval: true });
  t.is(await new Promise((resolve) => worker.once('exit', resolve)), 0);
  t.deepEqual(Manager.getAllocatedBlocks(), []);
});

test.serial('what lies beyond the end of a block, and what went away with its buffer, no later owner sees', async (t) => {
  for (const options of [{}, { zeroed: true }]) {
    const pool = open(1000, 8, 1, options);
    const block = pool.acquire();
    const whole = new Uint8Array(block.bytes().buffer);
    whole.fill(9);
    const { address } = block;
    pool.release(block);
    const next = pool.acquire();
    t.is(next.address, address);
    t.true(new Uint8Array(next.bytes().buffer).every((byte) => byte === 0));
    pool.release(next);
  }
  if (!('transfer' in ArrayBuffer.prototype)) return;
  const pool = open(2000, 8, 0);
  const addresses = new Set<bigint>();
  await (async () => {
    const block = pool.acquire();
    addresses.add(block.address);
    const away = structuredClone(block.bytes().fill(0xab).buffer, { transfer: [block.bytes().buffer as ArrayBuffer] }) as ArrayBuffer;
    pool.release(block);
    t.true(away.byteLength > 0 && Manager.getMemoryStats().escaped > 0);
  })();
  for (let turn = 0; turn < 200 && Manager.getMemoryStats().escaped > 0; turn += 1) {
    globalThis.gc?.();
    await sleep(5);
  }
  t.is(Manager.getMemoryStats().escaped, 0);
  const later = Array.from({ length: 600 }, () => Manager.allocateMemory(2000));
  const same = later.find(({ address }) => addresses.has(address));
  t.true(same === undefined || same.copyOut().every((byte) => byte === 0));
});

test.serial('memory of an allocator is foreign to a pool; a closed pool leaves its blocks to the manager', (t) => {
  const pool = open(64);
  using allocator = AdvancedMemoryAllocator.getInstance('beside a pool', 'slab', 65_536);
  const memory = allocator.allocate(64);
  t.regex(refuses(t, () => pool.release(memory as never), FOREIGN).message, /belongs to AdvancedMemoryAllocator 'beside a pool', not to MemoryPool/);
  memory.free();
  refuses(t, () => pool.release(memory as never), 'ERR_OFFHEAP_USE_AFTER_FREE');
  const [moved, swept] = [pool.acquire(), pool.acquire()];
  moved.fill(3);
  pool.close();
  const grown = Manager.reallocateMemory(moved, 5000);
  t.deepEqual([grown.getUint8(63), grown.size, moved.isValid()], [3, 5000, false]);
  t.is(Manager.freeAllMemory(), 2);
  t.deepEqual([grown.isValid(), swept.isValid()], [false, false]);
});

test.serial("the seed's pool", (t) => {
  const pool = open(1024, AlignmentMode.CACHE_LINE, 50);
  const block = pool.acquire();
  pool.release(block); // returns to the pool for reuse
  const stats = pool.getStats();
  t.deepEqual([stats.available, stats.inUse, stats.maxSize, stats.blockSize], [1, 0, 50, 1024]);
});
