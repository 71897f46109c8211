// Viewed blocks whose handle and views are dropped are collected and counted; their rows stay until then, their memory is used again.
// expect: exit=0 code=none
// node: --expose-gc
import { DirectMemoryManager as dmm, MIB, apart, check, collectUntil, finish, peakBytes, rowsOf, same, statistics } from './_free.mjs';

const ROUNDS = 30;
const SIZE = MIB;
const { collected, activeBlocks, currentAllocated } = statistics();
let committed;
for (let round = 0; round < ROUNDS; round += 1) {
  await apart(() => {
    for (let index = 0; index < 10; index += 1) {
      const block = dmm.allocateMemory(SIZE, 'word', { label: 'forgotten' }).fill(index);
      check(block.bytes()[SIZE - 1] === index, 'its bytes');
      if (index % 3 === 0) block.toArrayBuffer();
    }
    same(rowsOf('forgotten').length, 10, 'rows until then');
  });
  await collectUntil(() => rowsOf('forgotten').length === 0, 'they were collected');
  same(statistics().collected, collected + 10 * (round + 1), 'blocks collected');
  committed ??= statistics().committed;
}
same(statistics().activeBlocks, activeBlocks, 'activeBlocks');
same(statistics().currentAllocated, currentAllocated, 'currentAllocated');
const grown = (statistics().committed - committed) / MIB;
check(grown <= 32, `committed grew by ${grown} MiB, of ${ROUNDS * 10} that were allocated`);
check(peakBytes() < 300 * MIB, `the process grew to ${peakBytes() / MIB} MiB`);
finish();
