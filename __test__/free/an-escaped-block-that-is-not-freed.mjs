// The receiver goes before the handle: nothing happens behind the handle's back. Access is refused as before, and its free succeeds.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE,ERR_OFFHEAP_ESCAPED
// node: --expose-gc
import { DirectMemoryManager as dmm, SIZES, apart, check, collect, collectUntil, crowd, disperse, finish, isAll, refuses, statistics, transferAway } from './_free.mjs';

for (const size of SIZES) {
  const block = dmm.allocateMemory(size).fill(7);
  await apart(async () => {
    const theirs = await transferAway(block.bytes().buffer);
    await collect(2);
    const blocks = crowd(size);
    check(isAll(theirs.subarray(0, size), 7), 'the receiver has the bytes, freed or not');
    theirs.fill(9);
    disperse(blocks);
  });
  await collect(10);
  refuses('ERR_OFFHEAP_ESCAPED', () => block.getUint8(0), () => block.bytes(), () => block.fill(1));
  block.free();
  refuses('ERR_OFFHEAP_DOUBLE_FREE', () => block.free());
  await collectUntil(() => statistics().escaped === 0, 'the memory came back');
}
finish();
