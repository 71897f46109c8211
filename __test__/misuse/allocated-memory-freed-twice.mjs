// free() of freed memory, in each way to free, also when its bytes have a new owner.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE
// message: AllocatedMemory … cannot be freed: it was freed before. Free each handle once; only [Symbol.dispose]() may come again.
import { TYPES, check, finish, open, refuses } from './_allocators.mjs';

const live = [];
for (const type of TYPES) {
  const allocator = open(type);
  const list = [];
  for (const size of [64, 5000]) {
    const [memory, viewed] = [allocator.allocate(size), allocator.allocate(size)];
    viewed.bytes().fill(1);
    memory.free();
    allocator.free(viewed);
    for (let round = 0; round < 3; round += 1) {
      refuses('ERR_OFFHEAP_DOUBLE_FREE', () => memory.free(), () => viewed.free(), () => allocator.free(memory), () => allocator.free(viewed));
      memory[Symbol.dispose]();
      list.push(allocator.allocate(size).fill(round)); // takes the bytes that were freed
    }
  }
  check(list.every((memory, index) => memory.getUint8(memory.size - 1) === index % 3), 'the new owners kept their bytes');
  live.push([allocator, list]);
}
finish({ live });
