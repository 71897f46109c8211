// Forty workers are terminated at random moments of a loop that allocates, views, escapes and frees: figures and rows agree each time.
// expect: exit=0 code=none
import { setTimeout as wait } from 'node:timers/promises';
import { DirectMemoryManager as dmm, SIZES, check, crowd, disperse, finish, same, startWorker, statistics } from './_free.mjs';

async function churn({ dmm: manager, parentPort, workerData: sizes, transferAway }) {
  for (let round = 0; ; round += 1) {
    const blocks = sizes.map((size) => manager.allocateMemory(size).fill(3));
    for (const [index, block] of blocks.entries()) if ((index + round) % 3 !== 0) block.bytes().fill(4);
    blocks[0] = manager.reallocateMemory(blocks[0], 300);
    blocks[1].toArrayBuffer();
    if (round % 4 === 0) await transferAway(blocks[2].toArrayBuffer());
    if (round % 10 === 0) manager.trim();
    for (const block of blocks) block.free();
    if (round === 5) parentPort.postMessage('on the way', []);
  }
}
const { activeBlocks } = statistics();
for (let round = 0; round < 20; round += 1) {
  const two = [startWorker(churn, SIZES), startWorker(churn, SIZES)];
  await Promise.all(two.map(({ message }) => message()));
  await wait(round % 7);
  await Promise.all(two.map(({ worker }) => worker.terminate()));
  same(statistics().activeBlocks, activeBlocks, 'activeBlocks');
  const away = dmm.getAllocatedBlocks().filter((row) => row.escaped);
  const bytes = away.reduce((sum, { size }) => sum + size, 0);
  check(bytes <= statistics().escaped && away.length <= 5 * 2 * (round + 1), `${away.length} orphans of ${2 * round + 2} workers`);
  for (const size of SIZES) disperse(crowd(size, { count: 40 }));
}
finish({ escaped: statistics().escaped });
