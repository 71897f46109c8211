// Workers load the package with OFFHEAP_LIMIT of their own, sensible or not: they do not undo the process's limit or its setLimit(null).
// expect: exit=0 code=ERR_OFFHEAP_LIMIT
// message: Cannot allocate 67,108,864 bytes (64 MiB): 66,623,238 bytes (63.54 MiB) left under the limit of 67,108,864 bytes (64 MiB). Free memory, or raise it with DirectMemoryManager.setLimit() or OFFHEAP_LIMIT.
// env: OFFHEAP_LIMIT=64m
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { DirectMemoryManager as dmm, OffHeapError } from '../../dist/index.js';

function tryIt() {
  try {
    return `${dmm.allocateMemory(2 ** 26).free() === undefined}`;
  } catch (error) {
    return `${error instanceof OffHeapError} ${error.code}`;
  }
}
const inWorker = (limit) => new Promise((resolve) => { new Worker(fileURLToPath(import.meta.url), { env: { ...process.env, OFFHEAP_LIMIT: limit } }).once('message', resolve); });
const { finish, refuses, same } = isMainThread ? await import('./_expect.mjs') : {};
if (isMainThread) {
  refuses('ERR_OFFHEAP_LIMIT', () => dmm.allocateMemory(2 ** 26));
  same(await inWorker('8g'), 'true ERR_OFFHEAP_LIMIT', 'a worker that asks for more');
  dmm.setLimit(null);
  same(`${await inWorker('1')}, ${await inWorker('x')}, ${tryIt()}`, 'true, false ERR_INVALID_ARG_VALUE, true', 'workers that ask for less, and main');
  finish();
} else parentPort.postMessage(tryIt(), []);
