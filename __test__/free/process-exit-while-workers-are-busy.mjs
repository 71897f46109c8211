// Main calls process.exit() while workers allocate, view, escape and free: the exit code is main's own.
// expect: exit=7 code=none
// node from 22: --no-concurrent-array-buffer-sweeping
// node from 24: --no-concurrent-array-buffer-sweeping --no-concurrent-recompilation --no-concurrent-sparkplug
// (Without these Node itself hangs in about every 30th such exit, or crashes in one of some thousands: docs/FREE.md, "Where Node itself ends the process".)
import { SIZES, check, checkBystanders, crowd, isAll, print, startWorker } from './_free.mjs';

async function churn({ dmm, parentPort, workerData: sizes, transferAway }) {
  for (let round = 0; ; round += 1) {
    for (const size of sizes) {
      const block = dmm.allocateMemory(size).fill(3);
      const theirs = await transferAway(block.toArrayBuffer());
      parentPort.postMessage(theirs, [theirs.buffer]);
      block.free();
      dmm.allocateMemory(size).fill(3).bytes().fill(4);
    }
    if (round > 200) await new Promise((resolve) => { setTimeout(resolve, 1); });
    dmm.freeAllMemory();
  }
}
const live = SIZES.flatMap((size) => crowd(size, { count: 50 }));
const workers = Array.from({ length: 3 }, () => startWorker(churn, SIZES));
await Promise.all(workers.map(({ message }) => message()));
process.on('exit', () => {
  checkBystanders();
  check(live.every((block) => isAll(block.copyOut(), 1)), "main's blocks at exit");
  print({ bystanders: 'intact', stats: 'none' }); // the workers go on allocating
});
setTimeout(() => process.exit(7), 50);
