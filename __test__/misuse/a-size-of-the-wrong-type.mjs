// Sizes that are no numbers, for a new block and for a reallocation.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "size" argument must be of type number. Received undefined
import { DirectMemoryManager as dmm, finish, refuses } from './_expect.mjs';
import { NO_NUMBERS } from './_values.mjs';

const block = dmm.allocateMemory(64);
for (const value of [undefined, ...NO_NUMBERS]) {
  refuses('ERR_INVALID_ARG_TYPE', () => dmm.allocateMemory(value), () => dmm.reallocateMemory(block, value));
}
finish({ live: [block] });
