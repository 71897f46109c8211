// A worker moves a view's buffer to the main thread and ends: main still reads and writes that memory, nobody else gets it.
// expect: exit=0 code=none
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { DirectMemoryManager as dmm, check, finish, transferAway } from './_expect.mjs';

if (isMainThread) {
  const worker = new Worker(fileURLToPath(import.meta.url));
  const received = [];
  worker.on('message', (bytes) => received.push(bytes));
  await new Promise((resolve) => { worker.once('exit', resolve); });
  const live = [100, 128, 5000, 70000].flatMap((size) => Array.from({ length: 20 }, () => dmm.allocateMemory(size).fill(1)));
  for (const block of live) block.bytes().fill(2);
  check(received.length === 4 && received.every((bytes) => bytes.every((byte) => byte === 7)), 'the bytes of the dead worker');
  for (const bytes of received) bytes.fill(9);
  check(live.every((block) => block.getUint8(0) === 2 && block.getUint8(block.size - 1) === 2), 'they are nobody else’s');
  finish({ live, others: true });
} else {
  for (const size of [128, 5120, 100, 65536]) {
    const bytes = await transferAway(dmm.allocateMemory(size).fill(7).toArrayBuffer());
    parentPort.postMessage(bytes, [bytes.buffer]);
  }
}
