// Sources, targets and views that are neither memory nor bytes.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "source" argument must be an instance of MemoryBlock or AllocatedMemory or ArrayBufferView or ArrayBuffer. Received undefined
import { DirectMemoryManager as dmm, MemoryBlock, finish, refuses } from './_expect.mjs';
import { NO_BYTES } from './_values.mjs';

const block = dmm.allocateMemory(64);
for (const value of [...NO_BYTES, new Proxy(new Uint8Array(64), {}), Object.create(Uint8Array.prototype), Object.create(ArrayBuffer.prototype)]) {
  refuses(
    'ERR_INVALID_ARG_TYPE',
    () => dmm.copyMemory(value, 0, block, 0, 8), () => dmm.copyMemory(block, 0, value, 0, 8), () => dmm.copyMemory(value, 0, value, 0, 0),
    () => dmm.compareMemory(value, 0, block, 0, 8), () => dmm.compareMemory(block, 0, value, 0, 8),
    () => dmm.mismatch(value, 0, block, 0, 8), () => dmm.mismatch(block, 0, value, 0, 8),
    () => block.copyTo(value), () => block.equals(value), () => MemoryBlock.from(value), () => dmm.getDirectBufferAddress(value),
    () => dmm.freeMemory(value), () => dmm.reallocateMemory(value, 8), () => dmm.zeroMemory(value), () => dmm.setMemory(value, 0, 1, 0),
    () => dmm.createDirectByteBuffer(value),
  );
}
refuses('ERR_INVALID_ARG_TYPE', () => MemoryBlock.from(block), () => dmm.setMemory(new Uint8Array(8), 0, 8, 0), () => dmm.zeroMemory(new ArrayBuffer(8)));
finish({ live: [block] });
