// The buffer of a block goes away while waits pin it: nobody can wake them, so only those with a time-out end; free is refused until then.
// expect: exit=0 code=ERR_OFFHEAP_ESCAPED,ERR_OFFHEAP_IN_USE
// message: MemoryBlock … cannot be used: its ArrayBuffer was transferred away, and with it the memory. Transfer copyOut() or use share() instead; free() of the handle still succeeds.
import { DirectMemoryManager as dmm, MemoryPool, finish, refuses, rejects, same, transferAway } from './_expect.mjs';

const pool = new MemoryPool(64);
for (const block of [dmm.allocateMemory(64), pool.acquire()]) {
  block.fill(0);
  const waits = [block.waitAsync(0, 0, 300), block.waitAsync(8, 0n, 300)];
  const theirs = await transferAway(block.bytes().buffer);
  refuses('ERR_OFFHEAP_ESCAPED', () => block.notify(0), () => block.atomicLoad('i32', 0), () => block.atomicAdd('i64', 8, 1n));
  await rejects('ERR_OFFHEAP_ESCAPED', () => block.waitAsync(0, 0));
  refuses('ERR_OFFHEAP_IN_USE', () => block.free(), () => block[Symbol.dispose]());
  same((await Promise.all(waits)).join(), 'timed-out,timed-out', 'who waited is not forgotten');
  same(theirs[0], 0, 'the bytes are theirs');
  block.free();
}
pool.close();
finish({ escaped: 128 });
