// Each method of a freed block, and each operation with it as an argument; what only tells still tells.
// expect: exit=0 code=ERR_OFFHEAP_USE_AFTER_FREE
// message: MemoryBlock … cannot be used any more: it was freed. Keep a handle only as long as its memory; isValid() tells.
import { inspect } from 'node:util';
import { CALLS, USES, allRefuse } from './_calls.mjs';
import { DirectMemoryManager as dmm, check, finish, refuses, same } from './_expect.mjs';

const heap = new Uint8Array(8);
const viewed = dmm.allocateMemory(64);
viewed.toArrayBuffer();
for (const block of [dmm.allocateMemory(64), viewed, dmm.allocateMemory(40000)]) {
  const { id, size, address } = block;
  block.free();
  await allRefuse('ERR_OFFHEAP_USE_AFTER_FREE', USES, block);
  refuses('ERR_OFFHEAP_USE_AFTER_FREE', () => dmm.copyMemory(block, 0, heap, 0, 0), () => dmm.mismatch(heap, 0, block, 0, 0), () => block.fill(0, 0, 0)); // nothing to do: still refused
  for (const { tells, run } of CALLS) if (tells) run(block);
  same(`${block.id} ${block.size} ${block.address}`, `${id} ${size} ${address}`, 'what a dead handle tells');
  check(block.freed && !block.isValid() && block.freedTimestamp > 0, 'it knows that it is freed');
  check(String(block).includes('freed=true') && inspect(block).includes('freed=true'), 'it prints well');
}
finish();
