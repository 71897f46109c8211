// Handle, views and pin of a viewed block are dropped while it is pinned: it is not collected, memory and row stay for good.
// expect: exit=0 code=none
// node: --expose-gc
import { DirectMemoryManager as dmm, SIZES, apart, collect, crowd, disperse, finish, rowsOf, same, statistics } from './_free.mjs';

const addresses = [];
for (const size of SIZES) {
  await apart(() => {
    const block = dmm.allocateMemory(size, 'word', { label: 'pinned' }).fill(7);
    addresses.push(block.address);
    block.bytes();
    block.pin();
  });
}
const { collected } = statistics();
await collect(12);
same(statistics().collected, collected, 'blocks collected');
same(rowsOf('pinned').filter(({ pinned }) => pinned).length, SIZES.length, 'rows of pinned blocks');
for (const size of SIZES) {
  const blocks = crowd(size);
  same(blocks.filter(({ address }) => addresses.includes(address)).length, 0, 'new owners of pinned memory');
  disperse(blocks);
}
finish({ others: 'pinned' });
