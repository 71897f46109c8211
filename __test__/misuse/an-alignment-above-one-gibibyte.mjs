// Alignments that are powers of two above 2^30; 2^30 itself is given, for one byte.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "alignment" is out of range. It must be <= 1073741824 (1 GiB). Received 2147483648
import { DirectMemoryManager as dmm, MemoryBlock, finish, refuses, same } from './_expect.mjs';

for (const value of [2 ** 31, 2 ** 32, 2 ** 52, 2 ** 53, 2 ** 1023]) {
  refuses('ERR_OUT_OF_RANGE', () => dmm.allocateMemory(64, value), () => MemoryBlock.from(new Uint8Array(8), value));
}
const block = dmm.allocateMemory(1, 2 ** 30);
same(block.address % 2n ** 30n, 0n, 'address');
block.setUint8(0, 7);
same(block.getUint8(0), 7, 'byte');
finish({ live: [block] });
