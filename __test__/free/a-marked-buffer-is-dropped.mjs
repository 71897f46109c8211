// The handle of a marked buffer is dropped, then its view: no abort, the view keeps its bytes while it lives, the memory comes back.
// expect: exit=0 code=none
// node: --expose-gc
import { markAsUntransferable } from 'node:worker_threads';
import { DirectMemoryManager as dmm, SIZES, apart, collect, collectUntil, crowd, disperse, finish, isAll, check, rowsOf } from './_free.mjs';

for (const size of SIZES) {
  await apart(async () => {
    const view = dmm.allocateMemory(size, 'word', { label: 'marked' }).fill(7).bytes();
    markAsUntransferable(view.buffer);
    await collect();
    const blocks = crowd(size, { count: 300 });
    check(isAll(view, 7) && view.length === size, 'the view has its bytes');
    disperse(blocks);
  });
  await collectUntil(() => rowsOf('marked').length === 0, 'the memory came back');
}
finish();
