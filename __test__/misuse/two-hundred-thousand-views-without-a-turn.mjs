// 200,000 × allocate 64 KiB, view, write, free, without a turn of the event loop: the process stays small.
// expect: exit=0 code=none
import { DirectMemoryManager as dmm, NODE, check, finish } from './_expect.mjs';

const MIB = 2 ** 20;
for (let index = 0; index < 1000; index += 1) dmm.allocateMemory(65536).free();
const before = process.memoryUsage.rss();
let most = before;
for (let index = 0; index < 200_000; index += 1) {
  const block = dmm.allocateMemory(65536);
  block.bytes()[index & 65535] = index;
  block.free();
  if (index % 10_000 === 0) most = Math.max(most, process.memoryUsage.rss());
}
const grown = (Math.max(most, process.memoryUsage.rss()) - before) / MIB;
check(grown <= (NODE >= 22 ? 100 : 300), `grew by ${grown.toFixed(0)} MiB`);
const turn = performance.now();
await new Promise((resolve) => { setImmediate(resolve); });
check(performance.now() - turn < 2000, `the next turn waited ${(performance.now() - turn).toFixed(0)} ms`);
finish();
