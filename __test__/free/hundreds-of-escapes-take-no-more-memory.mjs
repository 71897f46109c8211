// Blocks of 1 MiB escape and are collected, 400 of them: their memory serves the next ones.
// expect: exit=0 code=none
// node: --expose-gc
import { DirectMemoryManager as dmm, MIB, apart, check, collect, collectUntil, finish, peakBytes, statistics, transferAway } from './_free.mjs';

async function round() {
  for (let index = 0; index < 20; index += 1) {
    const block = dmm.allocateMemory(MIB);
    const theirs = await transferAway(block.bytes().buffer);
    theirs.fill(index);
    block.free();
  }
}
await apart(round);
await collect();
const { committed } = statistics();
const before = peakBytes();
for (let index = 0; index < 19; index += 1) {
  await apart(round);
  await collectUntil(() => statistics().escaped === 0, 'the memory came back');
}
const grown = (statistics().committed - committed) / MIB;
check(grown <= 32, `committed grew by ${grown.toFixed(1)} MiB`);
check(peakBytes() - before <= 100 * MIB, `the process grew by ${((peakBytes() - before) / MIB).toFixed(0)} MiB`);
finish();
