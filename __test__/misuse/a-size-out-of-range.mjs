// Sizes that are zero, negative, fractional, NaN or above 2^53 − 1, for a new block and for a reallocation.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { DirectMemoryManager as dmm, finish, refuses } from './_expect.mjs';
import { NO_COUNTS } from './_values.mjs';

const block = dmm.allocateMemory(64);
for (const value of [0, -0, ...NO_COUNTS]) {
  refuses('ERR_OUT_OF_RANGE', () => dmm.allocateMemory(value), () => dmm.reallocateMemory(block, value));
}
finish({ live: [block] });
