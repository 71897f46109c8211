// freeMemory and reallocateMemory of allocated memory; freeAllMemory leaves it alone.
// expect: exit=0 code=ERR_OFFHEAP_FOREIGN_BLOCK
// message: AllocatedMemory … belongs to AdvancedMemoryAllocator 'own buddy', not to DirectMemoryManager. Call its own free(), or hand it to its owner.
import { DirectMemoryManager as dmm, TYPES, finish, open, pinBystanders, refuses, same } from './_allocators.mjs';

const live = TYPES.map((type) => {
  const allocator = open(type);
  const memory = allocator.allocate(64).fill(7);
  refuses('ERR_OFFHEAP_FOREIGN_BLOCK', () => dmm.freeMemory(memory), () => dmm.reallocateMemory(memory, 128), () => dmm.reallocateMemory(memory, 1));
  const unpin = pinBystanders();
  same(dmm.freeAllMemory(), 0, 'freed by freeAllMemory');
  unpin();
  same(memory.getUint8(63), 7, 'untouched');
  return [allocator, [memory]];
});
finish({ live });
