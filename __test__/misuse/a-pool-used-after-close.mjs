// Every method of a closed pool, with blocks in use and with callers who wait; close() again does nothing.
// expect: exit=0 code=ERR_OFFHEAP_CLOSED
// message: MemoryPool '' is closed. Make a new one.
import { MemoryPool, check, finish, refuses, rejects, same } from './_expect.mjs';

const pool = new MemoryPool(64, 8, 4, { limit: 2 });
const [block, viewed] = [pool.acquire(), pool.acquire()];
const view = viewed.bytes().fill(5);
const waiting = [pool.acquireAsync(), pool.acquireAsync({ timeoutMs: 1e6 }), pool.acquireAsync({ signal: new AbortController().signal })];
pool.close();
for (const wait of waiting) await rejects('ERR_OFFHEAP_CLOSED', () => wait);
for (let round = 0; round < 2; round += 1) {
  refuses('ERR_OFFHEAP_CLOSED', () => pool.acquire(), () => pool.release(block), () => pool.clear(), () => pool.getStats());
  await rejects('ERR_OFFHEAP_CLOSED', () => pool.acquireAsync());
  pool.close();
  pool[Symbol.dispose]();
}
check(block.isValid() && view[63] === 5 && viewed.getUint8(63) === 5, 'blocks in use are untouched');
block.free();
viewed.free();
same(view.length, 0, 'their views die as ever');
finish();
