// The package is loaded in workers only, one after the other and several at once; main loads it after they are dead.
// expect: exit=0 code=ERR_OFFHEAP_USE_AFTER_FREE
// message: MemoryBlock … cannot be used any more: it was freed. Keep a handle only as long as its memory; isValid() tells.
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, workerData } from 'node:worker_threads';

async function use(refuses, dmm) {
  const block = dmm.allocateMemory(100).fill(7);
  const view = block.bytes();
  if (view[99] + block.getUint8(0) !== 14) throw new Error('wrong bytes');
  block.free();
  refuses('ERR_OFFHEAP_USE_AFTER_FREE', () => block.bytes());
}
const start = (how) => new Promise((resolve, reject) => {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: how });
  worker.once('error', reject).once('exit', resolve);
});
if (isMainThread) for (const how of ['end', 'exit', 'end']) await Promise.all([start(how), start(how)]);
const { DirectMemoryManager, finish, refuses } = await import('./_expect.mjs');
for (let round = 0; round < 10; round += 1) await use(refuses, DirectMemoryManager);
if (isMainThread) finish({ others: true });
if (workerData === 'exit') process.exit(0);
