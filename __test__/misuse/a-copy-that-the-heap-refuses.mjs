// Under ulimit -v: copyOut and text of more than the JavaScript heap can get.
// expect: exit=0 code=ERR_OFFHEAP_OUT_OF_MEMORY
// message: Cannot allocate 134,217,728 bytes (128 MiB): the operating system refuses, … may be had. Free blocks, call DirectMemoryManager.trim(), or ask for less.
// shell: ulimit -v 6000000
import { DirectMemoryManager as dmm, check, finish, refuses } from './_expect.mjs';

const large = dmm.allocateMemory(512 * 2 ** 20).fill(97, 0, 1);
const blocks = [];
refuses('ERR_OFFHEAP_OUT_OF_MEMORY', () => {
  for (;;) blocks.push(dmm.allocateMemory(128 * 2 ** 20));
});
refuses('ERR_OFFHEAP_OUT_OF_MEMORY', () => large.copyOut(), () => large.text(), () => large.copyOut(8));
check(large.isValid() && large.text(0, 1) === 'a', 'the block is as it was');
finish({ live: [large, ...blocks] });
