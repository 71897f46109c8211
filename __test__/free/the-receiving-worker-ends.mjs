// A worker gets the memory of blocks and ends, by itself or terminated: the memory comes back to the isolate that allocated it.
// expect: exit=0 code=none
// node: --expose-gc
import { DirectMemoryManager as dmm, apart, check, collectUntil, crowd, disperse, finish, startWorker, statistics, transferAway } from './_free.mjs';

for (const how of ['end', 'terminate']) {
  await apart(async () => {
    const { worker, message, ended } = startWorker(({ parentPort, workerData }) => {
      parentPort.on('message', (all) => {
        globalThis.kept = all;
        parentPort.postMessage(all.every((bytes) => bytes.every((byte) => byte === 7)), []);
        if (workerData === 'end') parentPort.close();
      });
    }, how);
    const all = [];
    for (const size of [64, 5000, 65536]) {
      const block = dmm.allocateMemory(size).fill(7);
      all.push((await transferAway(block.bytes().buffer)).subarray(0, size));
      block.free();
    }
    worker.postMessage(all, all.map(({ buffer }) => buffer));
    const blocks = [...crowd(64), ...crowd(5000), ...crowd(65536)];
    check(await message(), 'the worker has the bytes');
    disperse(blocks);
    if (how === 'terminate') await worker.terminate();
    await ended;
  });
  await collectUntil(() => statistics().escaped === 0, `the memory came back after the worker's ${how}`);
}
finish();
