// Offset and length that are each possible, but whose sum is past the end, past 2^32 or past 2^53. A length of 0 at the end is fine.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "length" is out of range. It must be >= 0 && <= 99. Received 100
import { DirectMemoryManager as dmm, finish, refuses, same } from './_expect.mjs';

const block = dmm.allocateMemory(100);
const other = new Uint8Array(100);
const MAX = Number.MAX_SAFE_INTEGER;
for (const [offset, length] of [[1, 100], [100, 1], [60, 41], [1, 2 ** 32 - 1], [1, 2 ** 32], [2 ** 31, 2 ** 31], [1, MAX], [MAX, 1], [MAX, MAX], [50, MAX - 49]]) {
  const ways = [
    () => block.fill(0, offset, length), () => block.bytes(offset, length), () => block.copyOut(offset, length), () => block.text(offset, length),
    () => block.copyTo(other, 0, offset, length), () => block.copyTo(other, offset, 0, length), () => block.view(Uint8Array, offset, length),
    () => block.view(Float64Array, offset - (offset % 8), length), () => dmm.createDirectByteBuffer(block, offset, length),
    () => dmm.setMemory(block, offset, length, 0), () => dmm.copyMemory(block, offset, other, 0, length), () => dmm.copyMemory(other, 0, block, offset, length),
    () => dmm.copyMemory(other, offset, block, 0, length), () => dmm.compareMemory(block, offset, other, 0, length),
    () => dmm.compareMemory(other, 0, block, offset, length), () => dmm.mismatch(block, offset, other, 0, length),
  ];
  refuses('ERR_OUT_OF_RANGE', ...ways.filter((_, index) => index !== 7 || offset + length > 100));
}
same(block.bytes(100, 0).length + block.copyOut(100).length + block.view(DataView, 100).byteLength + dmm.compareMemory(block, 100, other, 100, 0), 0, 'nothing');
finish({ live: [block] });
