// FinalizationRegistry callbacks free viewed blocks, escaped blocks and neighbours of collected ones, and allocate in their place.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE
// node: --expose-gc
import { DirectMemoryManager as dmm, SIZES, apart, check, collectUntil, finish, refuses, rowsOf, statistics, transferAway } from './_free.mjs';

const live = [];
let calls = 0;
const registry = new FinalizationRegistry((block) => {
  calls += 1;
  block.free();
  refuses('ERR_OFFHEAP_DOUBLE_FREE', () => block.free());
  const next = dmm.allocateMemory(block.size).fill(1);
  next.bytes().fill(2);
  live.push(next);
});
for (let round = 0; round < 10; round += 1) {
  await apart(async () => {
    for (const size of SIZES) {
      const [viewed, escaped] = [dmm.allocateMemory(size), dmm.allocateMemory(size)];
      registry.register(viewed.bytes(), viewed);
      registry.register(await transferAway(escaped.toArrayBuffer()), escaped);
      dmm.allocateMemory(size, 'word', { label: 'forgotten' }).bytes();
    }
  });
}
const all = 20 * SIZES.length;
await collectUntil(() => calls === all && rowsOf('forgotten').length + statistics().escaped === 0, 'every callback ran, and all memory came back');
check(live.every((block) => block.isValid() && block.getUint8(0) === 2 && block.getUint8(block.size - 1) === 2), 'the new owners are there');
finish({ live });
