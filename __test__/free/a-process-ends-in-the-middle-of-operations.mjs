// The process exits while threads copy a gibibyte of its memory: it neither waits for them nor crashes.
// expect: exit=7 code=none
import { DirectMemoryManager as dmm, finish } from './_free.mjs';

const size = 2 ** 30;
const [one, other] = [dmm.allocateMemory(size), dmm.allocateMemory(size)];
for (let turn = 0; turn < 50; turn += 1) void dmm.copyMemoryAsync(one, 0, other, 0, size);
await dmm.fillAsync(other, 0, 5000, 1);
finish({ live: [one, other] });
process.exit(7);
