// A byte swap whose length is no multiple of the element size, the default of 8 included.
// expect: exit=0 code=ERR_INVALID_ARG_VALUE
// message: The argument 'length' must be a multiple of elementSize, 8. Received 7
import { DirectMemoryManager as dmm, finish, refuses, same } from './_expect.mjs';

const block = dmm.allocateMemory(64).fill(9);
const heap = new Uint8Array(64);
for (const length of [7, 1, 9, 63]) refuses('ERR_INVALID_ARG_VALUE', () => dmm.copyMemory(heap, 0, block, 0, length, 'swap-endian'));
for (const size of [2, 4, 8, 16]) {
  for (const length of [size - 1, size + 1, 64 - 1]) refuses('ERR_INVALID_ARG_VALUE', () => dmm.copyMemory(heap, 0, block, 0, length, 'swap-endian', size));
}
dmm.copyMemory(heap, 0, block, 0, 0, 'swap-endian', 16);
same(block.getUint8(0), 9, 'the byte from before');
finish({ live: [block] });
