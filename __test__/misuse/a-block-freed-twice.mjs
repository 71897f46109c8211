// free() of a freed block, in each way to free, also when the memory has a new owner.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE
// message: MemoryBlock … cannot be freed: it was freed before. Free each handle once; only [Symbol.dispose]() may come again.
import { DirectMemoryManager as dmm, check, finish, refuses } from './_expect.mjs';

const live = [];
for (const size of [64, 5000, 65536]) {
  const block = dmm.allocateMemory(size);
  const viewed = dmm.allocateMemory(size);
  viewed.bytes().fill(1);
  block.free();
  dmm.freeMemory(viewed);
  for (let round = 0; round < 3; round += 1) {
    refuses('ERR_OFFHEAP_DOUBLE_FREE', () => block.free(), () => viewed.free(), () => dmm.freeMemory(block), () => dmm.freeMemory(viewed));
    live.push(dmm.allocateMemory(size).fill(round)); // takes the memory that was freed
  }
}
check(live.every((block, index) => block.getUint8(block.size - 1) === index % 3), 'the new owners kept their bytes');
finish({ live });
