// Under ulimit -v, one block takes all that fits; it is viewed and freed, and the next one needs the same memory: it is given, every time.
// expect: exit=0 code=ERR_OFFHEAP_OUT_OF_MEMORY
// shell: ulimit -v 6000000
import { MIB, DirectMemoryManager as dmm, check, finish, refuses, same } from './_free.mjs';

const all = [];
refuses('ERR_OFFHEAP_OUT_OF_MEMORY', () => {
  for (;;) all.push(dmm.allocateMemory(256 * MIB));
});
check(all.length > 2, `some fitted: ${all.length}`);
for (let round = 0; round < 20; round += 1) {
  const block = all.pop();
  const view = block.bytes();
  view[0] = round;
  block.free();
  same(view.length, 0, 'length of the view');
  const next = dmm.allocateMemory(256 * MIB); // nothing else is free
  same(next.bytes(0, 1).length, 1, 'it can be viewed');
  all.unshift(next);
}
for (const block of all) block.free();
finish();
