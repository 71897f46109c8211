// What is no block given to a pool, signals and times that are none, and forged pools.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE,ERR_OUT_OF_RANGE
// message: The "block" argument must be an instance of MemoryBlock. Received undefined
import { MemoryBlock, MemoryPool, finish, refuses, rejects } from './_expect.mjs';

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
