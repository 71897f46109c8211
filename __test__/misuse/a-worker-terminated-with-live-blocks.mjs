// Workers are terminated while they allocate, view and free: the process goes on, other threads' blocks are untouched.
// expect: exit=0 code=none
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { DirectMemoryManager as dmm, finish } from './_expect.mjs';

const live = Array.from({ length: 100 }, (_, index) => dmm.allocateMemory(64 * index + 1).fill(1));
live.forEach((block, index) => index % 2 === 0 && block.bytes());
if (!isMainThread) {
  for (let index = 0; ; index += 1) {
    const block = dmm.reallocateMemory(dmm.allocateMemory(64 + (index % 5000)), 100);
    if (index % 3 === 0) block.toArrayBuffer();
    block.free();
    if (index === 10) parentPort.postMessage('on the way', []);
  }
}
for (let round = 0; round < 6; round += 1) {
  const worker = new Worker(fileURLToPath(import.meta.url));
  await new Promise((resolve) => { worker.once('message', resolve); });
  await wait(round * 5);
  await worker.terminate();
}
finish({ live, others: true });
