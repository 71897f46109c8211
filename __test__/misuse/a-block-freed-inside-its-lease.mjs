// free() and realloc inside a lease are refused; the lease rejects with that error and lets go.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE,ERR_OFFHEAP_IN_USE
// message: MemoryBlock … cannot be freed: a pin or lease holds it. Dispose of the pins and await the leases and tasks first.
import { DirectMemoryManager as dmm, finish, refuses, rejects, same } from './_expect.mjs';

const block = dmm.allocateMemory(64);
await rejects('ERR_OFFHEAP_IN_USE', () => block.lease(() => block.free()));
await block.lease((bytes) => {
  refuses('ERR_OFFHEAP_IN_USE', () => block.free(), () => dmm.reallocateMemory(block, 1000), () => block[Symbol.dispose]());
  same(bytes.length, 64, 'length of the leased bytes after a refused free');
});
await rejects('ERR_OFFHEAP_IN_USE', () => block.lease(async () => dmm.freeMemory(block)));
await rejects('ERR_OFFHEAP_IN_USE', () => block.lease(async () => dmm.reallocateMemory(block, 1000)));
for (const use of [undefined, null, 'x', {}, 8]) await rejects('ERR_INVALID_ARG_TYPE', () => block.lease(use));
const outer = block.lease((bytes) => block.lease(async (same_) => (bytes.length === same_.length ? new Promise((resolve) => { setImmediate(resolve, 'late'); }) : 'no')));
refuses('ERR_OFFHEAP_IN_USE', () => block.free());
same(await outer, 'late', 'what a lease gives');
const own = new Error('mine');
same(await block.lease(() => { throw own; }).catch((error) => error), own, 'the error of the user');
block.free();
finish();
