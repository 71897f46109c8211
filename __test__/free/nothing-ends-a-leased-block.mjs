// While leases run, one inside the other, every end of the block is refused; after the last one the free works.
// expect: exit=0 code=ERR_OFFHEAP_IN_USE,ERR_OFFHEAP_USE_AFTER_FREE
import { DirectMemoryManager as dmm, SIZES, check, finish, isAll, pinBystanders, refuses, rejects, same, turn } from './_free.mjs';

const unpin = pinBystanders();
for (const size of SIZES) {
  const block = dmm.allocateMemory(size).fill(7);
  const stillThere = (bytes) => {
    refuses('ERR_OFFHEAP_IN_USE', () => block.free(), () => block[Symbol.dispose](), () => dmm.freeMemory(block), () => dmm.reallocateMemory(block, 1));
    same(dmm.freeAllMemory(), 0, 'blocks freed by freeAllMemory');
    check(bytes.length === size && isAll(bytes, 7), 'the leased bytes');
  };
  const result = await block.lease(async (bytes) => {
    stillThere(bytes);
    await turn();
    stillThere(bytes);
    await block.lease((again) => stillThere(again));
    stillThere(bytes);
    return size;
  });
  same(result, size, 'what the function gave');
  const view = block.bytes();
  block.free();
  same(view.length, 0, 'length of a view');
  await rejects('ERR_OFFHEAP_USE_AFTER_FREE', () => block.lease(() => {}));
}
unpin();
finish();
