// free() of an allocator with memory of another one, of the same type and of another, live and freed, while open and closed.
// expect: exit=0 code=ERR_OFFHEAP_FOREIGN_BLOCK,ERR_OFFHEAP_DOUBLE_FREE,ERR_OFFHEAP_CLOSED
// message: AllocatedMemory … belongs to AdvancedMemoryAllocator 'own buddy', not to AdvancedMemoryAllocator 'own slab'. Call its own free(), or hand it to its owner.
import { AdvancedMemoryAllocator, MIB, TYPES, finish, open, refuses, same } from './_allocators.mjs';

const all = TYPES.map((type) => open(type));
const twins = TYPES.map((type) => AdvancedMemoryAllocator.getInstance(`twin ${type}`, type, MIB));
const live = all.map((allocator) => [allocator, [allocator.allocate(64).fill(7)]]);
for (const [owner, [memory]] of live) {
  for (const other of [...all, ...twins]) if (other !== owner) refuses('ERR_OFFHEAP_FOREIGN_BLOCK', () => other.free(memory));
  const freed = owner.allocate(64);
  freed.free();
  for (const other of [...all, ...twins]) refuses('ERR_OFFHEAP_DOUBLE_FREE', () => other.free(freed));
  same(memory.getUint8(63), 7, 'untouched');
}
for (const twin of twins) {
  twin.close();
  for (const [, [memory]] of live) refuses('ERR_OFFHEAP_CLOSED', () => twin.free(memory));
}
finish({ live });
