// A block of 5 GiB of which a view went to somebody else: every access is refused, also beyond 2 and 4 GiB; free leaves the memory to them.
// expect: exit=0 code=ERR_OFFHEAP_ESCAPED
// message: MemoryBlock … cannot be used: its ArrayBuffer was transferred away, and with it the memory. Transfer copyOut() or use share() instead; free() of the handle still succeeds.
import { DirectMemoryManager as dmm, check, finish, refuses, transferAway } from './_expect.mjs';

const SIZE = 5 * 2 ** 30;
let theirs;
for (const place of [0, 2 ** 32 + 64]) {
  const block = dmm.allocateMemory(SIZE, 2 ** 30);
  block.setUint8(place, 7);
  const view = block.bytes(place, 100);
  check(view[0] === 7, 'accessor and view agree');
  theirs = await transferAway(view.buffer);
  for (const at of [0, 2 ** 31 + 5, 2 ** 32 + 5, SIZE - 8]) {
    refuses('ERR_OFFHEAP_ESCAPED', () => block.getUint8(at), () => block.setFloat64(at, 1), () => block.bytes(at, 8), () => block.fill(0, at, 8));
  }
  refuses('ERR_OFFHEAP_ESCAPED', () => dmm.reallocateMemory(block, 100), () => block.copyOut(0, 8), () => dmm.copyMemory(block, 0, new Uint8Array(8), 0, 8));
  block.free();
  check(theirs[theirs.length > 100 ? place : 0] === 7, 'they still have it');
}
finish({ escaped: 2 * SIZE });
