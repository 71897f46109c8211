// Detached buffers and views of them have no bytes: any length is out of range, a length of 0 is a no-op.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "length" is out of range. It must be >= 0 && <= 0. Received 8
import { DirectMemoryManager as dmm, MemoryBlock, finish, refuses, same } from './_expect.mjs';

const block = dmm.allocateMemory(64).fill(7);
const buffer = new ArrayBuffer(64);
const views = [Buffer.from(buffer), new Uint8Array(buffer, 8), new Int32Array(buffer), new Float64Array(buffer, 8), new DataView(buffer), new DataView(buffer, 8, 8)];
structuredClone(buffer, { transfer: [buffer] });
for (const dead of [...views, buffer]) {
  refuses(
    'ERR_OUT_OF_RANGE',
    () => dmm.copyMemory(dead, 0, block, 0, 8), () => dmm.copyMemory(block, 0, dead, 0, 8), () => dmm.compareMemory(dead, 0, block, 0, 1),
    () => dmm.mismatch(block, 0, dead, 0, 1), () => block.copyTo(dead), () => MemoryBlock.from(dead), () => dmm.copyMemory(dead, 1, block, 0, 0),
  );
  dmm.copyMemory(dead, 0, block, 0, 0);
  block.copyTo(dead, 0, 0, 0);
  same(`${block.equals(dead)} ${dmm.mismatch(dead, 0, block, 0, 0)} ${dmm.compareMemory(dead, 0, dead, 0, 0)}`, 'false -1 0', 'nothing to compare');
  same(typeof dmm.getDirectBufferAddress(dead), 'bigint', 'address');
}
same(block.getUint8(0), 7, 'the byte from before');
finish({ live: [block] });
