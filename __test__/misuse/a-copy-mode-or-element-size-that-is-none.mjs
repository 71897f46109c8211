// Copy modes and element sizes outside their lists.
// expect: exit=0 code=ERR_INVALID_ARG_VALUE
// message: The argument 'mode' must be one of: 'normal', 'non-temporal', 'swap-endian'. Received 'x'
import { DirectMemoryManager as dmm, finish, refuses, same } from './_expect.mjs';

const block = dmm.allocateMemory(64).fill(9);
const heap = new Uint8Array(64);
for (const mode of ['x', '', 'NORMAL', 'swap', 'toString', '__proto__']) refuses('ERR_INVALID_ARG_VALUE', () => dmm.copyMemory(heap, 0, block, 0, 8, mode));
for (const size of [5, 0, 1, 3, 32, -8, 8.5, NaN, Infinity]) {
  refuses('ERR_INVALID_ARG_VALUE', () => dmm.copyMemory(heap, 0, block, 0, 8, 'swap-endian', size), () => dmm.copyMemory(heap, 0, block, 0, 8, 'normal', size));
}
same(block.getUint8(0), 9, 'the byte from before');
finish({ live: [block] });
