// freeAllMemory after handles of viewed blocks were dropped and collected: where a view lives, the block is left and reported, and no byte changes.
// expect: exit=0 code=none
// node: --expose-gc
import { DirectMemoryManager as dmm, SIZES, apart, check, collect, collectUntil, crowd, disperse, finish, isAll, pinBystanders, rowsOf, same } from './_free.mjs';

const unpin = pinBystanders();
await apart(async () => {
  const views = await apart(() => SIZES.map((size) => dmm.allocateMemory(size, 'word', { label: 'dropped' }).fill(7).bytes()));
  await collect();
  same(dmm.freeAllMemory(), 0, 'blocks freed by freeAllMemory');
  same(rowsOf('dropped').length, SIZES.length, 'rows');
  for (const size of SIZES) disperse(crowd(size));
  check(views.every((view, index) => view.length === SIZES[index] && isAll(view, 7)), 'the views kept their bytes');
});
await collectUntil(() => rowsOf('dropped').length === 0, 'their memory came back');
unpin();
finish();
