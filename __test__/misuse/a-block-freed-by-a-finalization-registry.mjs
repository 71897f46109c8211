// A FinalizationRegistry whose callback frees blocks, some of them twice.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE
// message: MemoryBlock … cannot be freed: it was freed before. Free each handle once; only [Symbol.dispose]() may come again.
// node: --expose-gc
import { setImmediate as turn } from 'node:timers/promises';
import { DirectMemoryManager as dmm, check, finish, refuses } from './_expect.mjs';

const freed = [];
const registry = new FinalizationRegistry((block) => {
  freed.push(block);
  block.free();
  refuses('ERR_OFFHEAP_DOUBLE_FREE', () => block.free());
});
for (let index = 0; index < 100; index += 1) {
  const block = dmm.allocateMemory(64 + index * 100);
  if (index % 2 === 0) block.bytes().fill(1);
  registry.register({}, block);
}
for (let round = 0; round < 50 && freed.length < 100; round += 1) {
  globalThis.gc();
  await turn();
}
check(freed.length === 100, `the callback ran for each block, not for ${freed.length}`);
finish();
