// An allocator whose alignment is larger than its region, or is none; nothing is opened, and nothing is charged.
// expect: exit=0 code=ERR_OUT_OF_RANGE,ERR_INVALID_ARG_VALUE,ERR_INVALID_ARG_TYPE
// message: The value of "alignment" is out of range. It must be possible for 1048576 bytes of a buddy allocator. Received 2097152
import { DirectMemoryManager as dmm, MIB, TYPES, finish, open, refuses } from './_allocators.mjs';
import { NO_NUMBERS } from './_values.mjs';

for (const type of TYPES) {
  for (const alignment of [2 * MIB, 2 ** 29, 2 ** 30, 2 ** 31, 2 ** 53]) refuses('ERR_OUT_OF_RANGE', () => open(type, MIB, alignment));
  refuses('ERR_OUT_OF_RANGE', () => open(type, 100, 128), () => open(type, dmm.PAGE_SIZE - 1, 'page'), () => open(type, 1, 'word'), () => open(type, 1, 'cache-line'));
  for (const alignment of [0, -8, 3, 1.5, NaN, Infinity, 'PAGE', '', 'toString', '64']) refuses('ERR_INVALID_ARG_VALUE', () => open(type, MIB, alignment));
  for (const alignment of NO_NUMBERS) if (typeof alignment !== 'string') refuses('ERR_INVALID_ARG_TYPE', () => open(type, MIB, alignment));
}
dmm.setLimit(dmm.getMemoryStats().currentAllocated + 7 * MIB);
const allocator = open('slab', MIB); // there is room for one more beside the bystanders
dmm.setLimit(null);
finish({ live: [[allocator, []]] });
