// Offsets past the end, negative, fractional, NaN or huge, wherever an offset is taken, of blocks with and without a view.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "offset" is out of range. It must be >= 0 && <= 64. Received -1
import { placesOf } from './_calls.mjs';
import { DirectMemoryManager as dmm, finish, refuses } from './_expect.mjs';
import { NO_COUNTS } from './_values.mjs';

const live = [64, 64, 40000].map((size) => dmm.allocateMemory(size));
live[0].bytes();
for (const block of live) {
  const past = [block.size + 1, block.actualSize + 1, 2 ** 31, 2 ** 32, 2 ** 32 + 8, Number.MAX_SAFE_INTEGER];
  for (const { run } of placesOf('offset')) {
    for (const value of [...NO_COUNTS, ...past]) refuses('ERR_OUT_OF_RANGE', () => run(block, value));
  }
}
finish({ live });
