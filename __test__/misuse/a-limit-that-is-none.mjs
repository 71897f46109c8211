// Nonsense for setLimit, and for the age of findPotentialLeaks; afterwards there is no limit.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE,ERR_OUT_OF_RANGE
// message: The "bytes" argument must be one of type number or null. Received undefined
import { DirectMemoryManager as dmm, finish, refuses } from './_expect.mjs';
import { NO_COUNTS, NO_NUMBERS } from './_values.mjs';

for (const value of [undefined, ...NO_NUMBERS]) {
  if (value !== null) refuses('ERR_INVALID_ARG_TYPE', () => dmm.setLimit(value));
  refuses('ERR_INVALID_ARG_TYPE', () => dmm.findPotentialLeaks(value));
}
for (const value of NO_COUNTS) refuses('ERR_OUT_OF_RANGE', () => dmm.setLimit(value), () => dmm.findPotentialLeaks(value));
const block = dmm.allocateMemory(2 ** 20);
finish({ live: [block] });
