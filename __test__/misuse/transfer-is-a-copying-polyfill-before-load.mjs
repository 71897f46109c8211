// Before load, ArrayBuffer.prototype.transfer becomes a polyfill that copies (as core-js does on Node 20), disguised as native code.
// expect: exit=0 code=ERR_OFFHEAP_USE_AFTER_FREE
// message: MemoryBlock … cannot be used any more: it was freed. Keep a handle only as long as its memory; isValid() tells.
// node: --import ./_transfer-polyfill.mjs
import { DirectMemoryManager as dmm, finish, pinBystanders, refuses, same } from './_expect.mjs';
import { walk } from './_tour.mjs';

const unpin = pinBystanders();
same(walk() ?? walk(), undefined, 'the tour');
unpin();
const block = dmm.allocateMemory(100).fill(7);
const views = [block.bytes(), new Uint8Array(block.toArrayBuffer()), dmm.createDirectByteBuffer(block)];
block.free();
same(views.reduce((sum, { length }) => sum + length, 0), 0, 'length of the views');
refuses('ERR_OFFHEAP_USE_AFTER_FREE', () => block.bytes());
finish();
