// Only the buffer of toArrayBuffer(), of another size than the chunk, or a view of it is left of a block: the block stays.
// expect: exit=0 code=none
// node: --expose-gc
import { DirectMemoryManager as dmm, apart, check, collect, collectUntil, crowd, disperse, finish, isAll, rowsOf, same, statistics } from './_free.mjs';

const SIZES = [100, 5000, 70_000];
const kinds = [(block) => block.toArrayBuffer(), (block) => { block.bytes(); return block.toArrayBuffer(); }, (block) => { block.toArrayBuffer(); return block.bytes().buffer; }];
const { collected } = statistics();
for (const size of SIZES) {
  for (const bufferOf of kinds) {
    await apart(async () => {
      const view = await apart(() => new Uint8Array(bufferOf(dmm.allocateMemory(size, 'word', { label: 'exact' }).fill(7)), 0, size));
      await collect();
      same(rowsOf('exact').length, 1, 'its row');
      const blocks = crowd(size, { count: 200 });
      check(isAll(view, 7), 'its bytes');
      view.fill(9);
      disperse(blocks);
    });
    await collectUntil(() => rowsOf('exact').length === 0, 'its memory came back');
  }
}
same(statistics().collected, collected + SIZES.length * kinds.length, 'blocks collected');
finish();
