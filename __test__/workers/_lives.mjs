// What workers do until they are terminated, one function for each scene; `hold` is what one does that ends.
import { setTimeout as wait } from 'node:timers/promises';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { AdvancedMemoryAllocator, DirectMemoryManager as dmm, MemoryPool } from '../../dist/index.js';
import { MIB, TYPES, chance, stampOf } from './_workers.mjs';

export const SIZES = [24, 64, 100, 1000, 5000, 65_536, 70_000];
export const openAll = () => TYPES.map((type) => AdvancedMemoryAllocator.getInstance(`all ${type}`, type, MIB));

/** Gives a buffer's memory to somebody else: `transfer()`, or a byte stream where Node has none. */
async function transferAway(buffer) {
  if (buffer.transfer !== undefined) return new Uint8Array(buffer.transfer());
  const stream = new ReadableStream({ type: 'bytes', start: (controller) => controller.enqueue(new Uint8Array(buffer)) });
  return (await stream.getReader().read()).value;
}

const stamped = (memory, counter) => {
  dmm.copyMemory(stampOf(77, counter, memory.size), 0, memory, 0, memory.size);
  return memory;
};

/** Each takes a round and what the worker keeps from round to round. */
const scenes = {
  blocks(round, { pick, pool }) {
    const blocks = SIZES.map((size) => stamped(dmm.allocateMemory(size), round));
    const pooled = [0, 1, 2].map(() => stamped(pool.acquire(), round));
    blocks[0] = dmm.reallocateMemory(blocks[0], 1 + pick(3000));
    for (const block of blocks) if (pick(20) > 0) block.free();
    for (const block of pooled) pool.release(block);
    if (round % 100 === 0) dmm.freeAllMemory();
  },
  views(round, { pick, pool }) {
    const blocks = [...SIZES.map((size) => stamped(dmm.allocateMemory(size), round)), stamped(pool.acquire(), round)];
    const views = blocks.map((block) => (pick(2) === 0 ? block.bytes() : new Uint8Array(block.toArrayBuffer())));
    for (const view of views) view.fill(round & 255);
    for (const block of blocks) block.free();
    if (round % 50 === 0) dmm.trim();
  },
  async leases(round, { pick, allocators }) {
    const memories = [dmm.allocateMemory(SIZES[pick(SIZES.length)]), allocators[pick(6)].tryAllocate(1 + pick(500))].filter((each) => each !== null);
    const leases = memories.map((memory) => stamped(memory, round).lease(async (bytes) => {
      bytes.fill(1);
      await wait(pick(3));
      bytes.fill(2);
    }));
    await Promise.all(leases);
    for (const memory of memories) memory.free();
  },
  grants(round, { pick, allocators, held }) {
    for (const allocator of allocators) {
      const memory = allocator.tryAllocate(1 + pick(2000));
      if (memory !== null) held.push(stamped(memory, round));
      if (memory !== null && pick(3) === 0) memory.bytes().fill(3);
    }
    while (held.length > 100) held.splice(pick(held.length), 1)[0].free();
    if (round % 20 === 0) held[0].pin()[Symbol.dispose]();
  },
  async transfers(round, { pick }) {
    const block = dmm.allocateMemory(SIZES[round % SIZES.length]).fill(7);
    const theirs = await transferAway(pick(2) === 0 ? block.bytes().buffer : block.toArrayBuffer());
    if (pick(2) === 0) block.free();
    parentPort.postMessage({ theirs, size: block.size }, [theirs.buffer]);
    await wait(pick(2));
  },
};

/** Of blocks that are pinned, and leased, at the end of a worker that holds. */
export const PINNED_BYTES = SIZES.reduce((sum, size) => sum + size, 200);

/** Memory in every state that a worker can have at its end: of blocks, pools and allocators. */
function hold({ allocators, pool }) {
  const kept = [];
  for (const size of SIZES) {
    const blocks = Array.from({ length: 5 }, () => stamped(dmm.allocateMemory(size, 'word', { label: 'of a worker' }), size));
    kept.push(blocks, blocks[1].bytes(), blocks[2].toArrayBuffer(), blocks[3].bytes());
    blocks[1].pin();
    for (const block of blocks.slice(3)) block.free();
  }
  const pooled = [pool.acquire(), pool.acquire(), pool.acquire()];
  kept.push(pooled, pooled[0].fill(1).bytes(), pooled[1].lease(() => new Promise(() => {})));
  pooled[2].free();
  for (const allocator of allocators) {
    const [first, second, third] = [100, 2000, 300].map((size) => stamped(allocator.allocate(size, 'of a worker'), size));
    kept.push(first.bytes(), second.lease(() => new Promise(() => {})), second);
    third.free();
  }
  globalThis.kept = kept;
}

async function live({ scene, number }) {
  const state = { pick: chance(number), pool: new MemoryPool(200), allocators: openAll(), held: [] };
  if (scene === 'hold') return hold(state);
  for (let round = 1; ; round += 1) {
    const pause = scenes[scene](round, state);
    if (pause !== undefined) await pause;
    if (round === 3) parentPort.postMessage('on the way', []);
  }
}

if (!isMainThread) {
  await live(workerData);
  parentPort.postMessage('held', []);
  if (workerData.how === 'exit') process.exit(5);
}
