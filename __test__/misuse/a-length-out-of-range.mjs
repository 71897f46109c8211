// Lengths past the end, negative, fractional, NaN or huge, wherever a length is taken.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "length" is out of range. It must be >= 0 && <= 64. Received -1
import { placesOf } from './_calls.mjs';
import { DirectMemoryManager as dmm, finish, refuses } from './_expect.mjs';
import { NO_COUNTS } from './_values.mjs';

const live = [dmm.allocateMemory(64), dmm.allocateMemory(64)];
live[0].toArrayBuffer();
for (const block of live) {
  for (const { run } of placesOf('length')) {
    for (const value of [...NO_COUNTS, 65, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) refuses('ERR_OUT_OF_RANGE', () => run(block, value));
  }
}
finish({ live });
