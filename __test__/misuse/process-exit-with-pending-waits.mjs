// process.exit() while waits of every kind are pending, in the main thread and in a worker.
// expect: exit=5 code=none
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { DirectMemoryManager as dmm, TYPES, check, checkBystanders, open, print } from './_allocators.mjs';

const block = dmm.allocateMemory(64, 'word', { zeroed: true });
const memory = TYPES.map((type) => (isMainThread ? open(type).allocate(64).fill(0) : block));
const settled = [];
for (const each of [block, ...memory]) {
  for (const wait of [each.waitAsync(0, 0), each.waitAsync(8, 0n), each.waitAsync(8, 0n, 60_000)]) wait.finally(() => settled.push(each));
}
if (!isMainThread) {
  parentPort.postMessage('waits', []);
} else {
  const worker = new Worker(fileURLToPath(import.meta.url));
  await new Promise((resolve) => { worker.once('message', resolve); });
  check(settled.length === 0 && block.notify(0, 0) === 0, 'all wait');
  checkBystanders();
  print({ bystanders: 'intact', stats: 'exact' });
  process.exit(5);
}
