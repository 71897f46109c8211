// The handle is dropped, not freed; a receiver has the memory. It keeps its bytes and its row; both go when the receiver goes.
// expect: exit=0 code=none
// node: --expose-gc
import { DirectMemoryManager as dmm, SIZES, apart, check, collect, collectUntil, crowd, disperse, finish, isAll, rowsOf, same, statistics, transferAway } from './_free.mjs';

for (const size of SIZES) {
  for (const bufferOf of [(block) => block.bytes().buffer, (block) => block.toArrayBuffer()]) {
    await apart(async () => {
      const theirs = await apart(() => transferAway(bufferOf(dmm.allocateMemory(size, 'word', { label: 'dropped' }).fill(7))));
      await collect();
      same(rowsOf('dropped').length, 1, 'rows');
      const blocks = crowd(size);
      check(isAll(theirs.subarray(0, size), 7), 'the receiver kept the bytes');
      theirs.fill(9);
      disperse(blocks);
    });
    await collectUntil(() => rowsOf('dropped').length === 0, 'the memory came back');
  }
}
same(statistics().escaped, 0, 'escaped');
finish();
