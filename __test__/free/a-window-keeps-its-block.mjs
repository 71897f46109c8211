// A block of 5 GiB, of which one buffer shows a part (Node 20: two windows; later: the whole): the last view alone keeps it.
// expect: exit=0 code=none
// node: --expose-gc
import { DirectMemoryManager as dmm, apart, check, collect, collectUntil, finish, isAll, rowsOf, same, statistics } from './_free.mjs';

const SIZE = 5 * 2 ** 30;
const { collected, activeBlocks } = statistics();
for (const kept of [0, 1]) {
  await apart(async () => {
    const view = await apart(() => {
      const block = dmm.allocateMemory(SIZE, 'page', { label: 'huge' });
      const parts = [block.bytes(4096, 100), block.bytes(2 ** 32 + 64, 100)];
      for (const part of parts) part.fill(7);
      return parts[kept];
    });
    await collect();
    same(rowsOf('huge').length, 1, 'its row');
    check(view.length === 100 && isAll(view, 7), 'its bytes');
  });
  await collectUntil(() => rowsOf('huge').length === 0, 'its memory came back');
}
same(statistics().collected, collected + 2, 'blocks collected');
same(statistics().activeBlocks, activeBlocks, 'activeBlocks');
finish();
