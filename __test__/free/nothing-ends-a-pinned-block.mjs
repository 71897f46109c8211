// Under one pin, and under two: free, dispose, freeMemory, realloc are refused, freeAllMemory leaves it and its row says so; nothing changes.
// expect: exit=0 code=ERR_OFFHEAP_IN_USE
import { DirectMemoryManager as dmm, SIZES, check, finish, isAll, pinBystanders, refuses, rowsOf, same } from './_free.mjs';

const unpin = pinBystanders();
const actsOn = (block) => [() => block.free(), () => block[Symbol.dispose](), () => dmm.freeMemory(block), () => dmm.reallocateMemory(block, 1), () => dmm.reallocateMemory(block, 2 ** 20)];
for (const size of SIZES) {
  for (const isViewed of [false, true]) {
    const block = dmm.allocateMemory(size, 'word', { label: 'pinned' }).fill(7);
    const views = isViewed ? [block.bytes(), new Uint8Array(block.toArrayBuffer())] : [];
    const pins = [block.pin(), block.pin()];
    while (pins.length > 0) {
      refuses('ERR_OFFHEAP_IN_USE', ...actsOn(block));
      same(dmm.freeAllMemory(), 0, 'blocks freed by freeAllMemory');
      check(block.isValid() && isAll(block.copyOut(), 7) && views.every((view) => view.length === size && isAll(view, 7)), 'nothing changed');
      same(rowsOf('pinned').map(({ pinned }) => pinned).join(), 'true', 'its row');
      const pin = pins.pop();
      pin[Symbol.dispose]();
      pin[Symbol.dispose](); // drops one pin, not two
    }
    same(rowsOf('pinned')[0].pinned, false, 'no longer pinned');
    same(dmm.freeAllMemory(), 1, 'blocks freed by freeAllMemory');
    check(views.every(({ length }) => length === 0), 'now its views are dead');
  }
}
unpin();
finish();
