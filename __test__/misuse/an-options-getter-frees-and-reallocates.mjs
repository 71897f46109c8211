// Getters of the options free, reallocate and allocate other blocks while one is being allocated.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE
// message: MemoryBlock … cannot be freed: it was freed before. Free each handle once; only [Symbol.dispose]() may come again.
import { DirectMemoryManager as dmm, check, finish, refuses, same } from './_expect.mjs';

const victim = dmm.allocateMemory(64).fill(1);
const viewed = dmm.allocateMemory(64).fill(2);
const view = viewed.bytes();
const live = [];
const options = {
  get zeroed() {
    victim.free();
    live.push(dmm.reallocateMemory(viewed, 64));
    return true;
  },
  get label() {
    live.push(dmm.allocateMemory(64, 'page', { label: 'inner' }).fill(3));
    return 'outer';
  },
};
live.push(dmm.allocateMemory(64, 'word', options));
refuses('ERR_OFFHEAP_DOUBLE_FREE', () => victim.free(), () => viewed.free());
same(live.map((block) => `${block.getUint8(0)} ${block.getUint8(63)} ${block.label}`).join(), '2 2 undefined,3 3 inner,0 0 outer', 'blocks');
check(view.length === 0 && new Set(live.map(({ address }) => address)).size === 3, 'the old view is dead, no memory has two owners');
finish({ live });
