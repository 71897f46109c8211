// Addresses of viewed blocks come back in the order of their frees, after 256 others or 8 MiB, not at once; those of unseen blocks at once.
// expect: exit=0 code=none
import { MIB, DirectMemoryManager as dmm, check, finish, same } from './_free.mjs';

const ENTRIES = 256;
const unseen = dmm.allocateMemory(4096);
const { address } = unseen;
unseen.free();
const again = dmm.allocateMemory(4096);
same(again.address, address, 'the address of a block that nobody saw');
again.free();
for (const size of [64, 4096, 65_536, MIB]) {
  const wait = Math.min(ENTRIES, (8 * MIB) / size) - 1;
  const freed = new Map();
  for (let index = 0; index < 1000; index += 1) {
    const block = dmm.allocateMemory(size);
    const last = freed.get(block.address);
    check(last === undefined || index - last > wait - 1, `an address of ${size} bytes came back after ${index - last} others`);
    freed.set(block.address, index);
    block.bytes();
    block.free();
  }
  check(freed.size <= 2 * ENTRIES + 64, `${freed.size} addresses for 1000 blocks of ${size} bytes, one at a time`);
}
finish();
