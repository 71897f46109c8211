// Views and buffers whose own properties claim another length, offset or buffer: the memory they really have counts.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "length" is out of range. It must be >= 0 && <= 64. Received 65
import { DirectMemoryManager as dmm, MemoryBlock, finish, refuses, same } from './_expect.mjs';

const block = dmm.allocateMemory(1000).fill(7);
class Long extends Uint8Array {
  get byteLength() {
    return 2 ** 40;
  }
  get length() {
    return 2 ** 40;
  }
}
const buffer = new ArrayBuffer(64);
const liars = [new Long(64), new Uint8Array(64), new Int32Array(16), new DataView(new ArrayBuffer(64)), buffer, Buffer.alloc(64)];
for (const liar of liars) {
  for (const key of ['byteLength', 'length', 'byteOffset']) Object.defineProperty(liar, key, { value: 2 ** 40 });
  Object.defineProperty(liar, 'buffer', { value: block.bytes().buffer });
  refuses('ERR_OUT_OF_RANGE', () => dmm.copyMemory(block, 0, liar, 0, 65), () => dmm.copyMemory(liar, 64, block, 0, 1), () => dmm.compareMemory(liar, 0, block, 0, 65), () => block.copyTo(liar));
  dmm.copyMemory(block, 0, liar, 0, 64);
  same(`${dmm.mismatch(liar, 0, block, 0, 64)} ${block.equals(liar)} ${MemoryBlock.from(liar).free()}`, '-1 false undefined', 'its real bytes');
}
finish({ live: [block] });
