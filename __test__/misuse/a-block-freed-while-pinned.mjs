// Freeing, disposing, reallocating a pinned block in each way: refused, and nothing changes until the last pin is gone.
// expect: exit=0 code=ERR_OFFHEAP_IN_USE
// message: MemoryBlock … cannot be freed: 2 pins or leases hold it. Dispose of the pins and await the leases and tasks first.
import { DirectMemoryManager as dmm, check, finish, refuses, same } from './_expect.mjs';

for (const isViewed of [false, true]) {
  const block = dmm.allocateMemory(100).fill(7);
  const views = isViewed ? [block.bytes(), new Uint8Array(block.toArrayBuffer())] : [];
  const pins = [block.pin(), block.pin()];
  for (const pin of pins) {
    const error = refuses('ERR_OFFHEAP_IN_USE', () => block.free(), () => dmm.freeMemory(block), () => block[Symbol.dispose](), () => dmm.reallocateMemory(block, 200), () => dmm.reallocateMemory(block, 50));
    same(error.id, block.id, 'id in the error');
    check(block.isValid() && block.getUint8(99) === 7 && views.every((view) => view[99] === 7), 'nothing changed');
    check(dmm.getAllocatedBlocks().find(({ id }) => id === block.id).pinned, 'the row says so');
    pin[Symbol.dispose]();
    pin[Symbol.dispose](); // again: does not take the other one's pin
  }
  block.free();
  same(views.reduce((sum, view) => sum + view.length, 0), 0, 'length of the views');
}
finish();
