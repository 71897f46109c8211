// 1,000,000 × allocate 64 KiB, view, write, free, without a turn of the event loop: 100 MiB more at most (Node 20: 300 MiB).
// expect: exit=0 code=none
import { MIB, DirectMemoryManager as dmm, NODE, check, finish, peakBytes, turn } from './_free.mjs';

for (let index = 0; index < 1000; index += 1) dmm.allocateMemory(65_536).free();
const before = peakBytes();
for (let index = 0; index < 1_000_000; index += 1) {
  const block = dmm.allocateMemory(65_536);
  block.bytes()[index & 65_535] = index;
  block.free();
}
const grown = (peakBytes() - before) / MIB;
const usual = NODE >= 22 ? 100 : 300;
const most = process.env.ASAN_OPTIONS === undefined ? usual : 2 * usual; // below a sanitizer all that Node allocates is larger
check(grown <= most, `the process grew by ${grown.toFixed(0)} MiB`);
await turn();
await turn();
finish();
