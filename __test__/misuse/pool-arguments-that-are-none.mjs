// Pools of sizes, counts, alignments and options that are none.
// expect: exit=0 code=ERR_OUT_OF_RANGE,ERR_INVALID_ARG_TYPE,ERR_INVALID_ARG_VALUE,ERR_OFFHEAP_OUT_OF_MEMORY
// message: The value of "blockSize" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { MemoryPool, finish, refuses } from './_expect.mjs';
import { NO_COUNTS, NO_NUMBERS } from './_values.mjs';

for (const size of [0, -0, ...NO_COUNTS]) refuses('ERR_OUT_OF_RANGE', () => new MemoryPool(size), () => new MemoryPool(8, 8, 8, { limit: size }));
for (const most of NO_COUNTS) refuses('ERR_OUT_OF_RANGE', () => new MemoryPool(8, 8, most));
for (const bad of NO_NUMBERS) refuses('ERR_INVALID_ARG_TYPE', () => new MemoryPool(bad), () => new MemoryPool(8, 8, 8, { limit: bad }));
refuses('ERR_OFFHEAP_OUT_OF_MEMORY', () => new MemoryPool(2 ** 48), () => new MemoryPool(Number.MAX_SAFE_INTEGER));
refuses('ERR_INVALID_ARG_VALUE', () => new MemoryPool(8, 3), () => new MemoryPool(8, 'x'), () => new MemoryPool(8, 8, 8, { label: 'x'.repeat(257) }));
for (const bad of [null, 1, 'x', [], () => 1]) refuses('ERR_INVALID_ARG_TYPE', () => new MemoryPool(8, 8, 8, bad));
for (const options of [{ zeroed: 1 }, { zeroOnRelease: 'no' }, { label: 5 }]) refuses('ERR_INVALID_ARG_TYPE', () => new MemoryPool(8, 8, 8, options));
finish();
