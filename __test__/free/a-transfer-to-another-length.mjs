// transfer(length) to another length copies and lets go of the memory: an escape for the handle, and the memory is ours again at once.
// expect: exit=0 code=none
// expect from 22: exit=0 code=ERR_OFFHEAP_ESCAPED
// node: --expose-gc
import { DirectMemoryManager as dmm, NODE, SIZES, check, collectUntil, crowd, disperse, finish, isAll, refuses, statistics } from './_free.mjs';

if (NODE >= 22) {
  for (const size of SIZES) {
    for (const length of [0, 16, 2 * size]) {
      const block = dmm.allocateMemory(size).fill(7);
      const theirs = new Uint8Array(block.toArrayBuffer().transfer(length));
      refuses('ERR_OFFHEAP_ESCAPED', () => block.getUint8(0), () => block.bytes());
      block.free();
      const blocks = crowd(size, { count: 100 });
      check(length === 0 || isAll(theirs.subarray(0, Math.min(size, length)), 7), 'the copy has the bytes');
      theirs.fill(9);
      disperse(blocks);
      await collectUntil(() => statistics().escaped === 0, `the memory came back from transfer(${length})`); // while `theirs` lives
      check(length === 0 || isAll(theirs, 9), 'the copy kept its bytes');
    }
  }
}
finish();
