// Memory from before a reset: no free, no access, no operation, also when its bytes have a new owner.
// expect: exit=0 code=ERR_OFFHEAP_USE_AFTER_FREE
// message: AllocatedMemory … cannot be used any more: its allocator was reset. Keep a handle only as long as its memory; isValid() tells.
import { DirectMemoryManager as dmm, TYPES, check, finish, open, refuses } from './_allocators.mjs';

const heap = new Uint8Array(64);
const live = TYPES.map((type) => {
  const allocator = open(type);
  const list = [allocator.allocate(64), allocator.allocate(64)];
  const view = list[1].bytes();
  allocator.reset();
  const next = allocator.allocate(64).fill(7);
  for (const memory of list) {
    refuses('ERR_OFFHEAP_USE_AFTER_FREE', () => memory.free(), () => allocator.free(memory), () => memory.getUint8(0), () => memory.setInt32(0, 1));
    refuses('ERR_OFFHEAP_USE_AFTER_FREE', () => memory.fill(0), () => memory.bytes(), () => memory.pin(), () => dmm.zeroMemory(memory));
    refuses('ERR_OFFHEAP_USE_AFTER_FREE', () => dmm.copyMemory(heap, 0, memory, 0, 64), () => dmm.createDirectByteBuffer(memory), () => memory.equals(heap));
    memory[Symbol.dispose]();
  }
  check(view.length === 0 && next.getUint8(63) === 7, 'the old view is dead, the new owner untouched');
  return [allocator, [next]];
});
finish({ live });
