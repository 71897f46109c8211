// free, dispose, reset, close, rewind and overwriting while something is pinned or leased: refused, and nothing has changed.
// expect: exit=0 code=ERR_OFFHEAP_IN_USE
// message: AllocatedMemory … cannot be freed: a pin or lease holds it. Dispose of the pins and await the leases and tasks first.
import { AdvancedMemoryAllocator, TYPES, finish, open, refuses, same } from './_allocators.mjs';

const live = [];
for (const type of TYPES) {
  const allocator = open(type);
  const [memory, other] = [allocator.allocate(64).fill(7), allocator.allocate(64).fill(8)];
  const ends = [() => memory.free(), () => allocator.free(memory), () => memory[Symbol.dispose](), () => allocator.reset(), () => allocator.close(), () => allocator[Symbol.dispose]()];
  const pin = memory.pin();
  refuses('ERR_OFFHEAP_IN_USE', ...ends);
  pin[Symbol.dispose]();
  await memory.lease(async () => {
    await undefined;
    refuses('ERR_OFFHEAP_IN_USE', ...ends);
  });
  same(`${memory.getUint8(63)} ${other.getUint8(63)}`, '7 8', 'nothing has changed');
  live.push([allocator, [memory, other]]);
}
const ring = AdvancedMemoryAllocator.getInstance('overwrites', 'ring', 4096, 8, { overflow: 'overwrite-oldest' });
const pin = ring.allocate(4096).pin();
refuses('ERR_OFFHEAP_IN_USE', () => ring.allocate(8), () => ring.tryAllocate(8));
pin[Symbol.dispose]();
ring.close();
finish({ live });
