// Sizes that are zero, fractional, NaN, above the region, no numbers: refused by allocate and tryAllocate, before anything happens.
// expect: exit=0 code=ERR_OUT_OF_RANGE,ERR_INVALID_ARG_TYPE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { MIB, TYPES, finish, open, refuses } from './_allocators.mjs';
import { NO_COUNTS, NO_NUMBERS } from './_values.mjs';

const live = TYPES.map((type) => {
  const allocator = open(type);
  const memory = allocator.allocate(64);
  for (const size of [0, -0, MIB + 1, 2 ** 31, 2 ** 32 + 8, Number.MAX_SAFE_INTEGER, ...NO_COUNTS]) {
    refuses('ERR_OUT_OF_RANGE', () => allocator.allocate(size), () => allocator.tryAllocate(size));
  }
  for (const size of [undefined, ...NO_NUMBERS]) refuses('ERR_INVALID_ARG_TYPE', () => allocator.allocate(size), () => allocator.tryAllocate(size));
  return [allocator, [memory]];
});
finish({ live });
