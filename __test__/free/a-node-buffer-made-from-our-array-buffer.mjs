// Buffer.from(arrayBuffer), subarrays and copies of views: those that share the memory die with the block, those that copied keep the bytes.
// expect: exit=0 code=none
import { DirectMemoryManager as dmm, SIZES, check, crowd, disperse, finish, isAll } from './_free.mjs';

for (const size of SIZES) {
  const block = dmm.allocateMemory(size).fill(7);
  const exact = block.toArrayBuffer();
  const view = block.bytes();
  const sharing = [Buffer.from(exact), Buffer.from(exact, 8, 16), Buffer.from(view.buffer, 0, size), Buffer.from(exact).subarray(3), new Float32Array(exact, 4, 4)];
  const copies = [Buffer.from(view), Buffer.concat([view]), view.slice(), Uint8Array.from(view), new Uint8Array(exact.slice(0)), structuredClone(view)];
  sharing[0][0] = 8;
  check(block.getUint8(0) === 8, 'shared');
  block.free();
  check(sharing.every(({ length, byteLength, byteOffset }) => length + byteLength + byteOffset === 0), 'what shares is empty');
  const blocks = crowd(size, { count: 200 });
  for (const stale of sharing) {
    stale[0] = 9;
    check(stale[0] === undefined && (!Buffer.isBuffer(stale) || stale.toString('latin1') === ''), 'nothing is read or written');
  }
  check(copies.every((copy) => copy.length === size && isAll(copy, 7)), 'copies are whole');
  disperse(blocks);
}
finish();
