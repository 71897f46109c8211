// Dispose is idempotent, also after free(); a dead handle never takes its memory's next owner with it.
// expect: exit=0 code=none
import { DirectMemoryManager as dmm, check, finish } from './_expect.mjs';

const block = dmm.allocateMemory(64);
const viewed = dmm.allocateMemory(64);
viewed.bytes();
for (const each of [block, viewed]) each[Symbol.dispose]();
const live = Array.from({ length: 100 }, () => dmm.allocateMemory(64).fill(7));
for (const each of [block, viewed]) each[Symbol.dispose]();
const freed = dmm.allocateMemory(64);
freed.free();
freed[Symbol.dispose]();
check(live.every((each) => each.getUint8(63) === 7), 'the new owners kept their bytes');
finish({ live });
