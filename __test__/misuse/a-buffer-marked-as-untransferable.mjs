// The user marks our buffers as untransferable. From Node 24 on they cannot be detached: free says so, changes nothing, and exit is clean.
// expect: exit=0 code=ERR_OFFHEAP_USE_AFTER_FREE
// expect from 24: exit=0 code=ERR_OFFHEAP_IN_USE
// message: MemoryBlock … cannot be used any more: it was freed. Keep a handle only as long as its memory; isValid() tells.
// message from 24: MemoryBlock … cannot be freed (its ArrayBuffer was marked as untransferable): pins or leases hold it. Dispose of the pins and await the leases and tasks first.
import { markAsUntransferable } from 'node:worker_threads';
import { DirectMemoryManager as dmm, NODE, check, finish, refuses } from './_expect.mjs';

const plain = dmm.allocateMemory(128).fill(7);
const odd = dmm.allocateMemory(100).fill(7);
const views = [plain.bytes(), odd.bytes(), new Uint8Array(odd.toArrayBuffer())];
markAsUntransferable(views[0].buffer);
markAsUntransferable(views[1].buffer); // the odd one's own buffer is not marked: it must survive the refusal as well
if (NODE >= 24) {
  for (const block of [plain, odd]) refuses('ERR_OFFHEAP_IN_USE', () => block.free(), () => dmm.reallocateMemory(block, 4096), () => dmm.freeMemory(block));
  check(views.every((view) => view.length > 0 && view[99] === 7) && plain.getUint8(127) + odd.getUint8(99) === 14, 'nothing changed');
  check(odd.toArrayBuffer() === views[2].buffer, 'and it is still the same buffer');
} else {
  for (const block of [plain, odd]) block.free();
  refuses('ERR_OFFHEAP_USE_AFTER_FREE', () => plain.bytes(), () => odd.bytes());
  check(views.every(({ length }) => length === 0), 'the views are dead');
}
finish({ live: NODE >= 24 ? [plain, odd] : [] });
