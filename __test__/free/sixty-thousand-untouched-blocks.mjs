// 60,000 × 1 MiB allocated and freed untouched, one at a time and ten at a time: the process has no more address ranges and pages than before.
// expect: exit=0 code=none
import { MIB, DirectMemoryManager as dmm, check, finish, mappings, peakBytes, same, statistics } from './_free.mjs';

async function rounds(count) {
  for (let index = 0; index < count; index += 20) {
    const ten = Array.from({ length: 10 }, () => dmm.allocateMemory(MIB));
    for (let one = 0; one < 10; one += 1) dmm.allocateMemory(MIB).free();
    for (const block of ten) block.free();
  }
  return (await mappings()).length;
}
const lines = await rounds(10_000);
const { committed } = statistics();
const before = peakBytes();
const after = await rounds(60_000);
check(after <= lines + 32, `${after} address ranges after ${lines}`); // the engine maps some of its own
same(statistics().committed, committed, 'committed');
check(peakBytes() - before <= 32 * MIB, `the process grew by ${((peakBytes() - before) / MIB).toFixed(0)} MiB`);
finish();
