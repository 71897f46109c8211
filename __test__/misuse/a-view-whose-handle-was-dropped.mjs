// Handles are dropped and collected while views of their blocks live on: the views keep their bytes, also through freeAllMemory.
// expect: exit=0 code=none
// node: --expose-gc
import { setImmediate as turn } from 'node:timers/promises';
import { DirectMemoryManager as dmm, check, finish, pinBystanders, same } from './_expect.mjs';

const unpin = pinBystanders();
const views = [64, 100, 5000, 70_000].flatMap((size) => {
  const block = dmm.allocateMemory(size, 'word', { label: 'dropped' }).fill(7);
  return [block.bytes(), new Uint8Array(dmm.allocateMemory(size, 'word', { label: 'dropped' }).fill(7).toArrayBuffer())];
});
for (let round = 0; round < 5; round += 1) {
  globalThis.gc();
  await turn();
}
dmm.freeAllMemory();
const live = [64, 100, 5000, 70_000].flatMap((size) => Array.from({ length: 30 }, () => dmm.allocateMemory(size).fill(1)));
for (const block of live) block.bytes().fill(2);
check(views.every((view) => view.every((byte) => byte === 7)), 'a view has its bytes, or none');
for (const view of views) view.fill(9);
same(live.filter((block) => block.getUint8(0) !== 2 || block.getUint8(block.size - 1) !== 2).length, 0, 'blocks that a dropped one’s view reached');
unpin();
finish({ live, others: 'dropped' });
