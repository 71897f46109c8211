// The handle from before a reallocation: it is dead even when the memory did not move.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE,ERR_OFFHEAP_USE_AFTER_FREE
// message: MemoryBlock … cannot be used any more: it was freed. Keep a handle only as long as its memory; isValid() tells.
import { CALLS, USES, allRefuse } from './_calls.mjs';
import { DirectMemoryManager as dmm, check, finish, refuses, same } from './_expect.mjs';

const live = [];
for (const [from, to] of [[64, 65], [64, 64], [64, 4096], [4096, 64], [40000, 40001], [40000, 80000], [100000, 2 ** 21]]) {
  const block = dmm.allocateMemory(from).fill(from & 255);
  const view = block.bytes();
  const next = dmm.reallocateMemory(block, to);
  await allRefuse('ERR_OFFHEAP_USE_AFTER_FREE', USES, block);
  refuses('ERR_OFFHEAP_DOUBLE_FREE', () => block.free(), () => dmm.freeMemory(block));
  for (const { tells, run } of CALLS) if (tells) run(block);
  same(view.length, 0, 'length of an old view');
  check(!block.isValid() && next.getUint8(Math.min(from, to) - 1) === (from & 255), 'the new handle has the bytes');
  live.push(next);
}
finish({ live });
