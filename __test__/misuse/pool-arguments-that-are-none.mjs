// Sizes, counts, options, blocks, signals and times that are none, and forged pools.
// expect: exit=0 code=ERR_OUT_OF_RANGE,ERR_INVALID_ARG_TYPE,ERR_INVALID_ARG_VALUE,ERR_OFFHEAP_OUT_OF_MEMORY
import { MemoryBlock, MemoryPool, finish, refuses, rejects } from './_expect.mjs';
import { NO_COUNTS, NO_NUMBERS } from './_values.mjs';

for (const size of [0, -0, ...NO_COUNTS]) refuses('ERR_OUT_OF_RANGE', () => new MemoryPool(size), () => new MemoryPool(8, 8, 8, { limit: size }));
for (const most of NO_COUNTS) refuses('ERR_OUT_OF_RANGE', () => new MemoryPool(8, 8, most));
for (const bad of NO_NUMBERS) refuses('ERR_INVALID_ARG_TYPE', () => new MemoryPool(bad), () => new MemoryPool(8, 8, 8, { limit: bad }));
refuses('ERR_OFFHEAP_OUT_OF_MEMORY', () => new MemoryPool(2 ** 48), () => new MemoryPool(Number.MAX_SAFE_INTEGER));
refuses('ERR_INVALID_ARG_VALUE', () => new MemoryPool(8, 3), () => new MemoryPool(8, 'x'), () => new MemoryPool(8, 8, 8, { label: 'x'.repeat(257) }));
for (const bad of [null, 1, 'x', [], () => 1]) refuses('ERR_INVALID_ARG_TYPE', () => new MemoryPool(8, 8, 8, bad));
for (const options of [{ zeroed: 1 }, { zeroOnRelease: 'no' }, { label: 5 }]) refuses('ERR_INVALID_ARG_TYPE', () => new MemoryPool(8, 8, 8, options));
const pool = new MemoryPool(8, 8, 8, { limit: 1 });
const block = pool.acquire();
for (const bad of [undefined, null, 1, {}, [], pool, Object.create(MemoryBlock.prototype), { ...block }, new Proxy(block, {})]) {
  refuses('ERR_INVALID_ARG_TYPE', () => pool.release(bad));
}
for (const options of [null, 5, [], { signal: null }, { signal: {} }, { signal: { aborted: false } }, { timeoutMs: '5' }, { timeoutMs: 5n }]) {
  await rejects('ERR_INVALID_ARG_TYPE', () => pool.acquireAsync(options));
}
for (const timeoutMs of [-1, NaN, 0.5, 2 ** 31, Infinity]) await rejects('ERR_OUT_OF_RANGE', () => pool.acquireAsync({ timeoutMs }));
for (const forged of [undefined, null, {}, Object.create(MemoryPool.prototype), new Proxy(pool, {})]) {
  for (const name of ['acquire', 'clear', 'close', 'getStats', 'toString']) refuses('ERR_INVALID_ARG_TYPE', () => MemoryPool.prototype[name].call(forged));
  refuses('ERR_INVALID_ARG_TYPE', () => MemoryPool.prototype.release.call(forged, block));
  await rejects('ERR_INVALID_ARG_TYPE', () => MemoryPool.prototype.acquireAsync.call(forged));
}
pool.release(block);
pool.close();
finish();
