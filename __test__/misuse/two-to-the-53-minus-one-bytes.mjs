// The largest number of bytes there is: refused with numbers, for a new block and for a reallocation, which loses nothing.
// expect: exit=0 code=ERR_OFFHEAP_OUT_OF_MEMORY
// message: Cannot allocate 9,007,199,254,740,991 bytes (8 PiB): the operating system refuses, … may be had. Free blocks, call DirectMemoryManager.trim(), or ask for less.
import { DirectMemoryManager as dmm, check, finish, refuses, same } from './_expect.mjs';

const MAX = Number.MAX_SAFE_INTEGER;
const block = dmm.allocateMemory(100).fill(7);
const view = block.bytes();
const exact = block.toArrayBuffer();
for (const size of [MAX, MAX - 1, MAX - 4095, 2 ** 52, 2 ** 50, 2 ** 48]) {
  for (const alignment of ['none', 'page', 2 ** 30]) {
    const error = refuses('ERR_OFFHEAP_OUT_OF_MEMORY', () => dmm.allocateMemory(size, alignment), () => dmm.allocateMemory(size, alignment, { zeroed: true }));
    same(error.requested, size, 'requested');
  }
  refuses('ERR_OFFHEAP_OUT_OF_MEMORY', () => dmm.reallocateMemory(block, size));
}
check(view.length === 100 && view[99] === 7 && block.bytes()[99] === 7 && block.toArrayBuffer() === exact, 'the block is as it was');
const next = dmm.reallocateMemory(block, 200);
check(next.getUint8(99) === 7 && view.length === 0, 'and can still grow');
finish({ live: [next] });
