// Under ulimit -v: what the system refuses is a coded error, the process goes on, and freed memory can be had again.
// expect: exit=0 code=ERR_OFFHEAP_OUT_OF_MEMORY
// message: Cannot allocate 6,442,450,944 bytes (6 GiB): the operating system refuses, … may be had. Free blocks, call DirectMemoryManager.trim(), or ask for less.
// shell: ulimit -v 6000000
import { DirectMemoryManager as dmm, check, finish, refuses, same } from './_expect.mjs';

const error = refuses('ERR_OFFHEAP_OUT_OF_MEMORY', () => dmm.allocateMemory(6 * 2 ** 30), () => dmm.allocateMemory(6 * 2 ** 30, 'page', { zeroed: true }));
same(error.requested, 6 * 2 ** 30, 'requested');
for (let round = 0; round < 3; round += 1) {
  const blocks = [];
  refuses('ERR_OFFHEAP_OUT_OF_MEMORY', () => {
    for (;;) blocks.push(dmm.allocateMemory(256 * 2 ** 20)); // untouched: costs address space, no memory
  });
  check(blocks.length > 2, `some fitted: ${blocks.length}`);
  refuses('ERR_OFFHEAP_OUT_OF_MEMORY', () => dmm.reallocateMemory(blocks[0], 6 * 2 ** 30));
  blocks[0].setUint8(2 ** 28 - 1, 7);
  same(blocks[0].getUint8(2 ** 28 - 1), 7, 'a block from before');
  for (const block of blocks) block.free();
  dmm.trim();
}
finish({ live: [dmm.allocateMemory(256 * 2 ** 20)] });
