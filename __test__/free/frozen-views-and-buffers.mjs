// Views and buffers are frozen, sealed and closed to extensions, as far as the engine does that: free empties them all the same.
// expect: exit=0 code=ERR_OFFHEAP_USE_AFTER_FREE
import { DirectMemoryManager as dmm, SIZES, check, crowd, disperse, finish, refuses, same } from './_free.mjs';

const freezers = [Object.freeze, Object.seal, Object.preventExtensions];
for (const size of SIZES) {
  for (const freeze of freezers) {
    const block = dmm.allocateMemory(size).fill(7);
    const view = block.bytes();
    const exact = block.toArrayBuffer();
    const data = block.view(DataView);
    for (const target of [exact, view.buffer, data, block, Object.getPrototypeOf(block)]) freeze(target);
    try {
      freeze(view); // a view with elements cannot be frozen
      check(freeze !== Object.freeze, 'frozen');
    } catch (error) {
      check(error instanceof TypeError, String(error));
    }
    block.setUint8(0, 8);
    same(view[0] + data.getUint8(0), 16, 'still the same memory');
    block.free();
    check(view.length === 0 && exact.byteLength === 0 && view.buffer.byteLength === 0, 'empty');
    refuses('ERR_OFFHEAP_USE_AFTER_FREE', () => block.bytes());
    const blocks = crowd(size, { count: 50 });
    check(view[0] === undefined && view[size - 1] === undefined, 'nothing to see');
    disperse(blocks);
  }
}
finish();
