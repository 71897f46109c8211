// getInstance() with another type, size, alignment or overflow under a name that is taken.
// expect: exit=0 code=ERR_OFFHEAP_CONFIG_MISMATCH
// message: Allocator 'buddy' exists with type 'buddy', not 'slab'. Ask for the same, take another name, or close() it first.
import { AdvancedMemoryAllocator, MIB, TYPES, check, finish, refuses } from './_allocators.mjs';

const { getInstance } = AdvancedMemoryAllocator;
const live = TYPES.map((type) => {
  const allocator = getInstance(type, type, MIB, 64);
  const memory = allocator.allocate(64).fill(7);
  for (const other of TYPES) if (other !== type) refuses('ERR_OFFHEAP_CONFIG_MISMATCH', () => getInstance(type, other, MIB, 64));
  for (const total of [1, MIB - 1, 2 * MIB, 2 ** 40]) refuses('ERR_OFFHEAP_CONFIG_MISMATCH', () => getInstance(type, type, total, total === 1 ? 1 : 64));
  for (const alignment of [undefined, 'none', 'page', 1, 128]) refuses('ERR_OFFHEAP_CONFIG_MISMATCH', () => getInstance(type, type, MIB, alignment));
  if (type === 'ring') refuses('ERR_OFFHEAP_CONFIG_MISMATCH', () => getInstance(type, type, MIB, 64, { overflow: 'overwrite-oldest' }));
  check(getInstance(type, type, MIB, 64) === allocator && memory.getUint8(63) === 7, 'it is as it was');
  return [allocator, [memory]];
});
finish({ live });
