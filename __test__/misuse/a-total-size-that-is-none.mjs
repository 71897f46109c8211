// Regions of 0, 1.5, 2^53 bytes, of no number, and of more than there is: refused, and the name stays free.
// expect: exit=0 code=ERR_OUT_OF_RANGE,ERR_INVALID_ARG_TYPE,ERR_OFFHEAP_OUT_OF_MEMORY
// message: The value of "totalSize" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { TYPES, finish, open, refuses } from './_allocators.mjs';
import { NO_COUNTS, NO_NUMBERS } from './_values.mjs';

for (const type of TYPES) {
  for (const total of [0, -0, ...NO_COUNTS]) refuses('ERR_OUT_OF_RANGE', () => open(type, total));
  for (const total of [null, ...NO_NUMBERS]) refuses('ERR_INVALID_ARG_TYPE', () => open(type, total));
  for (const total of [2 ** 48, 2 ** 52, Number.MAX_SAFE_INTEGER]) refuses('ERR_OFFHEAP_OUT_OF_MEMORY', () => open(type, total));
}
finish({ live: TYPES.map((type) => [open(type), []]) });
