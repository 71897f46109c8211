// Every method of a closed allocator and of its memory; close() again does nothing, also when the name has a new allocator.
// expect: exit=0 code=ERR_OFFHEAP_CLOSED
// message: AdvancedMemoryAllocator 'own buddy' is closed. Make a new one.
import { DirectMemoryManager as dmm, TYPES, check, finish, open, refuses } from './_allocators.mjs';

const live = TYPES.map((type) => {
  const allocator = open(type);
  const [memory, freed] = [allocator.allocate(64), allocator.allocate(64)];
  const view = memory.bytes();
  freed.free();
  allocator.close();
  const next = open(type);
  const taken = next.allocate(64).fill(7);
  for (let round = 0; round < 2; round += 1) {
    refuses('ERR_OFFHEAP_CLOSED', () => allocator.allocate(8), () => allocator.tryAllocate(8), () => allocator.free(memory), () => allocator.free(taken));
    refuses('ERR_OFFHEAP_CLOSED', () => allocator.reset(), () => allocator.trim(), () => allocator.getStats(), () => allocator.mark());
    refuses('ERR_OFFHEAP_CLOSED', () => memory.free(), () => freed.free(), () => memory.getInt8(0), () => memory.bytes(), () => dmm.zeroMemory(memory));
    allocator.close();
    allocator[Symbol.dispose]();
    memory[Symbol.dispose]();
  }
  check(next !== allocator && view.length === 0 && taken.getUint8(63) === 7, 'the next allocator is untouched');
  return [next, [taken]];
});
finish({ live });
