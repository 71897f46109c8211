// OFFHEAP_TABLE=64k: more blocks than such a table could hold are served all the same.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE
// message: MemoryBlock … cannot be freed: it was freed before. Free each handle once; only [Symbol.dispose]() may come again.
// env: OFFHEAP_TABLE=64k
import { DirectMemoryManager as dmm, finish, refuses, same } from './_expect.mjs';

const blocks = Array.from({ length: 70_000 }, (_, index) => dmm.allocateMemory(1 + (index % 100)));
for (const block of blocks) block.setUint8(block.size - 1, block.size);
same(blocks.filter((block) => block.getUint8(block.size - 1) !== block.size).length, 0, 'blocks that lost their byte');
same(dmm.getAllocatedBlocks().length, dmm.getMemoryStats().activeBlocks, 'rows');
for (const block of blocks) block.free();
refuses('ERR_OFFHEAP_DOUBLE_FREE', () => blocks[0].free(), () => blocks[69_999].free());
finish();
