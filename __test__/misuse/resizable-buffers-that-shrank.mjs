// Views of resizable buffers that shrank below them, or away with them: only the bytes that are still there count.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "length" is out of range. It must be >= 0 && <= 0. Received 1
import { DirectMemoryManager as dmm, MemoryBlock, finish, refuses, same } from './_expect.mjs';

const block = dmm.allocateMemory(64).fill(7);
const buffer = new ArrayBuffer(64, { maxByteLength: 4096 });
const gone = [new Uint8Array(buffer, 0, 64), new Uint8Array(buffer, 32), new Int32Array(buffer, 4, 15), new DataView(buffer, 8, 56), new DataView(buffer, 24), Buffer.from(buffer, 8, 20)];
const tracking = [buffer, new Uint8Array(buffer), new DataView(buffer), new Float64Array(buffer), new Int16Array(buffer)];
buffer.resize(16);
for (const view of gone) {
  refuses('ERR_OUT_OF_RANGE', () => dmm.copyMemory(view, 0, block, 0, 1), () => dmm.copyMemory(block, 0, view, 0, 1), () => MemoryBlock.from(view), () => dmm.mismatch(view, 0, block, 0, 1));
}
for (const view of tracking) {
  dmm.copyMemory(block, 0, view, 0, 16);
  refuses('ERR_OUT_OF_RANGE', () => dmm.copyMemory(view, 0, block, 0, 17), () => dmm.copyMemory(block, 0, view, 16, 1), () => dmm.compareMemory(view, 0, block, 0, 64));
  same(dmm.compareMemory(view, 0, block, 0, 16), 0, 'what is still there');
}
buffer.resize(4096);
for (const view of tracking) dmm.copyMemory(block, 0, view, 4096 - 64, 64);
same(new Uint8Array(buffer)[4095], 7, 'the last byte after it grew');
finish({ live: [block, MemoryBlock.from(buffer)] });
