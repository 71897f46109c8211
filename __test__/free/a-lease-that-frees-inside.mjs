// The function of a lease frees its block: refused inside, also after a turn; and a free that waits for the lease works.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE,ERR_OFFHEAP_IN_USE
import { DirectMemoryManager as dmm, SIZES, check, finish, isAll, refuses, rejects, turn } from './_free.mjs';

for (const size of SIZES) {
  const block = dmm.allocateMemory(size).fill(7);
  await rejects('ERR_OFFHEAP_IN_USE', () => block.lease(() => block.free()));
  await rejects('ERR_OFFHEAP_IN_USE', () => block.lease(async () => { await turn(); block.free(); }));
  check(block.isValid() && isAll(block.bytes(), 7), 'the block is as it was');
  const lease = block.lease(() => turn());
  const freed = lease.finally(() => block.free());
  refuses('ERR_OFFHEAP_IN_USE', () => block.free());
  await freed;
  refuses('ERR_OFFHEAP_DOUBLE_FREE', () => block.free());
}
finish();
