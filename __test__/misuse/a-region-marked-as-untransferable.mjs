// A user marks a region's buffer: reset() and close() are refused where the runtime then keeps it attached, and nothing is lost.
// expect: exit=0 code=ERR_OFFHEAP_USE_AFTER_FREE
// expect from 24: exit=0 code=ERR_OFFHEAP_IN_USE
// message: AllocatedMemory … cannot be used any more: its allocator was reset. Keep a handle only as long as its memory; isValid() tells.
// message from 24: AdvancedMemoryAllocator 'own buddy' cannot be reset (its ArrayBuffer was marked as untransferable): pins or leases hold it. Dispose of the pins and await the leases and tasks first.
import { markAsUntransferable } from 'node:worker_threads';
import { NODE, TYPES, check, finish, open, refuses } from './_allocators.mjs';

const live = TYPES.map((type) => {
  const allocator = open(type);
  const memory = allocator.allocate(64).fill(7);
  const view = memory.bytes();
  markAsUntransferable(view.buffer);
  if (NODE >= 24) {
    refuses('ERR_OFFHEAP_IN_USE', () => allocator.reset(), () => allocator.close());
    check(view[63] === 7 && memory.getUint8(63) === 7, 'nothing has changed');
    return [allocator, [memory, allocator.allocate(64)]];
  }
  allocator.reset();
  refuses('ERR_OFFHEAP_USE_AFTER_FREE', () => memory.getUint8(0));
  check(view.length === 0, 'its views are dead');
  return [allocator, []];
});
finish({ live, stuck: NODE >= 24 ? live.map(([allocator]) => allocator) : [] });
