// Buffers of freed blocks are collected when their chunks have new owners, viewed or not: what a finalizer says of the old owner ends no new one.
// expect: exit=0 code=none
// node: --expose-gc
import { DirectMemoryManager as dmm, SIZES, apart, check, collect, crowd, disperse, finish, isAll, statistics } from './_free.mjs';

const { activeBlocks, collected } = statistics();
for (const size of SIZES) {
  const count = size > 8192 ? 300 : 600; // more than wait for reuse at once
  const before = new Set();
  await apart(() => {
    for (const block of Array.from({ length: count }, () => dmm.allocateMemory(size).fill(7))) {
      block.bytes();
      block.toArrayBuffer();
      before.add(block.address);
      block.free();
    }
  });
  const blocks = crowd(size, { count });
  check(blocks.some(({ address }) => before.has(address)), 'chunks have new owners');
  const views = blocks.map((block, index) => (index % 3 === 0 ? new Uint8Array(block.toArrayBuffer()) : undefined));
  await collect();
  check(blocks.every((block) => block.isValid()) && views.every((view) => view === undefined || isAll(view, 1)), 'the new owners are there');
  check(statistics().activeBlocks === activeBlocks + count && statistics().collected === collected, 'nobody was collected');
  disperse(blocks);
}
finish();
