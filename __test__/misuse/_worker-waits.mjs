// Workers that wait for words of every kind of memory, and end meanwhile; the allocators' words are then main's.
import { Worker } from 'node:worker_threads';
import { AdvancedMemoryAllocator, MIB, TYPES, check, same } from './_allocators.mjs';
import { DirectMemoryManager as dmm } from './_expect.mjs';

/** Of the block that the worker views. */
export const VIEWED = 5001;
const SIZES = [5000, VIEWED];

/** Starts such a worker and ends it. */
async function endOne(how) {
  const allocators = TYPES.map((type) => AdvancedMemoryAllocator.getInstance(`of waits ${type}`, type, MIB));
  const worker = new Worker(new URL('_waits-in-a-worker.mjs', import.meta.url), { workerData: { how, sizes: SIZES } });
  const ended = new Promise((resolve) => { worker.once('exit', resolve); });
  const addresses = await new Promise((resolve) => { worker.once('message', resolve); });
  worker.on('message', (text) => check(false, `nobody is ${text}`));
  if (how === 'terminate') await worker.terminate();
  await ended;
  for (const allocator of allocators) allocator.reset(); // no pin is left
  const own = allocators.map((allocator) => Array.from({ length: 3 }, () => allocator.allocate(64)).find(({ address }) => addresses.includes(address)));
  check(own.filter((each) => each !== undefined).length >= 5, 'the very words for which the worker waited'); // a ring goes on behind them
  same(own.reduce((sum, each) => sum + (each?.notify(0) ?? 0), 0), 0, 'woken');
  for (const allocator of allocators) allocator.close();
}

/** Several of them; `left`: bytes that each leaves. */
export async function workersEnd(how, left) {
  for (let round = 1; round <= 4; round += 1) {
    await endOne(how);
    const rows = dmm.getAllocatedBlocks().filter(({ label }) => label === 'waits');
    same(`${rows.length} ${rows.every(({ escaped }) => escaped)} ${rows.reduce((sum, { size }) => sum + size, 0)}`, `${left.length * round} true ${left.reduce((sum, size) => sum + size, 0) * round}`, 'rows');
  }
}
