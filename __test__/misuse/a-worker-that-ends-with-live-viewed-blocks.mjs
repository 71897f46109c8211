// Workers that end by themselves, by process.exit, by a throw, while they have viewed, pinned and plain blocks.
// expect: exit=0 code=none
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { DirectMemoryManager as dmm, check, finish, same } from './_expect.mjs';

if (isMainThread) {
  const live = [];
  for (const [how, wanted] of [['end', 0], ['exit', 5], ['throw', 1], ['end', 0]]) {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: how });
    const error = new Promise((resolve) => { worker.once('error', resolve); });
    same(await new Promise((resolve) => { worker.once('exit', resolve); }), wanted, `exit code of the worker that ends by '${how}'`);
    check(how !== 'throw' || (await error).message === 'thrown in a worker', 'its error arrives');
    live.push(dmm.allocateMemory(5000).fill(1));
  }
  finish({ live, others: true });
} else {
  globalThis.kept = Array.from({ length: 100 }, (_, index) => dmm.allocateMemory(64 * index + 1).fill(1));
  globalThis.views = kept.filter((_, index) => index % 2 === 0).map((block) => block.bytes());
  kept[0].pin();
  if (workerData === 'exit') process.exit(5);
  if (workerData === 'throw') throw new Error('thrown in a worker');
}
