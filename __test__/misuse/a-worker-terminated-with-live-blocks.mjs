// Workers are terminated in the middle of allocating, viewing and freeing: the process goes on, other threads' blocks are untouched.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { DirectMemoryManager as dmm, finish, refuses } from './_expect.mjs';

if (isMainThread) {
  const live = [];
  for (let round = 0; round < 6; round += 1) {
    const worker = new Worker(fileURLToPath(import.meta.url));
    await new Promise((resolve) => { worker.once('message', resolve); });
    live.push(dmm.allocateMemory(5000).fill(round));
    await wait(round * 5);
    await worker.terminate();
  }
  finish({ live, others: true });
} else {
  const kept = Array.from({ length: 100 }, (_, index) => dmm.allocateMemory(64 * index + 1).fill(1));
  kept.forEach((block, index) => index % 2 === 0 && block.bytes());
  for (let index = 0; ; index += 1) {
    const block = dmm.reallocateMemory(dmm.allocateMemory(64 + (index % 5000)), 100);
    if (index % 3 === 0) block.toArrayBuffer();
    block.free();
    if (index === 10) parentPort.postMessage('on the way');
  }
}
