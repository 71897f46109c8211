// 10,000,000 × allocate 64 bytes and free, without views and without a turn: no growth of the process or of what was taken from the system.
// expect: exit=0 code=none
import { MIB, DirectMemoryManager as dmm, check, finish, peakBytes, same, statistics } from './_free.mjs';

for (let index = 0; index < 100_000; index += 1) dmm.allocateMemory(64).free();
const before = peakBytes();
const { committed } = statistics();
for (let index = 0; index < 10_000_000; index += 1) {
  const block = dmm.allocateMemory(64);
  block.setInt32(0, index);
  block.free();
}
const grown = (peakBytes() - before) / MIB;
check(grown <= 32, `the process grew by ${grown.toFixed(0)} MiB`); // room for the engine's own young objects
same(statistics().committed, committed, 'committed');
same(statistics().quarantined, 0, 'quarantined: nobody could see these');
finish();
