// Handles are dropped while a view of each lives: memory, bytes and leak rows stay until the views are dropped as well.
// expect: exit=0 code=none
// node: --expose-gc
import { DirectMemoryManager as dmm, SIZES, apart, check, collect, collectUntil, crowd, disperse, finish, isAll, rowsOf, same, statistics } from './_free.mjs';

const { collected, activeBlocks } = statistics();
await apart(async () => {
  const views = await apart(() => SIZES.map((size) => dmm.allocateMemory(size, 'word', { label: 'dropped' }).fill(7).bytes()));
  await collect(12);
  same(statistics().collected, collected, 'blocks collected');
  same(statistics().activeBlocks, activeBlocks + SIZES.length, 'activeBlocks');
  same(dmm.findPotentialLeaks(0).filter(({ label }) => label === 'dropped').length, SIZES.length, 'leak rows');
  for (const [index, size] of SIZES.entries()) {
    const blocks = crowd(size);
    check(isAll(views[index], 7) && views[index].length === size, 'the view has its bytes');
    views[index].fill(9);
    disperse(blocks);
  }
  check(views.every((view) => isAll(view, 9)), 'and what was written to it');
});
await collectUntil(() => rowsOf('dropped').length === 0, 'their memory came back');
same(statistics().collected, collected + SIZES.length, 'blocks collected');
same(statistics().activeBlocks, activeBlocks, 'activeBlocks');
finish();
