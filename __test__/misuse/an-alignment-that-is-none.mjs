// Alignments that are no power of two, and names that no mode has.
// expect: exit=0 code=ERR_INVALID_ARG_VALUE
// message: The argument 'alignment' must be a power of two, 1 to 2^30, or an AlignmentMode. Received 0
import { DirectMemoryManager as dmm, MemoryBlock, finish, refuses } from './_expect.mjs';

for (const value of [0, -0, -1, -8, 3, 6, 100, 0.5, 1.5, NaN, Infinity, -Infinity, 2 ** 30 + 1, 2 ** 32 + 8, '', 'x', 'WORD', '8', 'toString', '__proto__']) {
  refuses('ERR_INVALID_ARG_VALUE', () => dmm.allocateMemory(64, value), () => MemoryBlock.from(new Uint8Array(8), value));
}
finish();
