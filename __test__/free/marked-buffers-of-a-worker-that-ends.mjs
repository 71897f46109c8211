// Workers that mark buffers as untransferable and end in every way: the process lives, main's blocks are untouched.
// expect: exit=0 code=none
// node: --expose-gc
import { SIZES, check, collect, crowd, disperse, finish, same, startWorker, statistics } from './_free.mjs';

const before = statistics().activeBlocks;
for (const [how, code] of [['end', 0], ['exit', 5], ['throw', 1], ['terminate', 1]]) {
  const { worker, message, ended, errors } = startWorker(({ dmm, parentPort, workerData: [end, sizes] }) => {
    const { markAsUntransferable } = require('node:worker_threads');
    globalThis.views = sizes.map((size) => dmm.allocateMemory(size).fill(7).bytes());
    for (const view of globalThis.views) markAsUntransferable(view.buffer);
    parentPort.postMessage('marked', []);
    if (end === 'exit') process.exit(5);
    if (end === 'throw') throw new Error('thrown in a worker');
    if (end === 'terminate') setInterval(() => {}, 1000);
  }, [how, SIZES]);
  await message();
  if (how === 'terminate') await worker.terminate();
  same(await ended, code, `exit code of the worker that ends by '${how}'`);
  check(errors.length === (how === 'throw' ? 1 : 0), String(errors[0]));
  for (const size of SIZES) disperse(crowd(size, { count: 100 }));
  same(statistics().activeBlocks, before, 'activeBlocks');
}
await collect();
finish({ others: true });
