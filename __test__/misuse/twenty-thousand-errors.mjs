// 20,000 refused calls: errors leave neither memory nor blocks behind.
// expect: exit=0 code=none
import { DirectMemoryManager as dmm, check, finish } from './_expect.mjs';

const block = dmm.allocateMemory(64);
const before = process.memoryUsage.rss();
let refused = 0;
for (let index = 0; index < 5_000; index += 1) {
  for (const act of [() => block.getInt32(61), () => dmm.allocateMemory(-index), () => block.bytes(65), () => dmm.copyMemory(block, 0, null, 0, 1)]) {
    try {
      act();
    } catch {
      refused += 1;
    }
  }
}
check(refused === 20_000 && process.memoryUsage.rss() - before < 50 * 2 ** 20, 'all refused, nothing kept');
finish({ live: [block] });
