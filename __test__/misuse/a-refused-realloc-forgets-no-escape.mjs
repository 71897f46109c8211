// After a reallocation was refused because a buffer is with somebody else, free still leaves the memory to them.
// expect: exit=0 code=ERR_OFFHEAP_ESCAPED
// message: MemoryBlock … cannot be used: its ArrayBuffer was transferred away, and with it the memory. Transfer copyOut() or use share() instead; free() of the handle still succeeds.
import { DirectMemoryManager as dmm, check, finish, refuses, transferAway } from './_expect.mjs';

const blocks = [];
const theirs = [];
for (const size of [100, 128, 40001]) {
  for (const pick of [(block) => block.toArrayBuffer(), (block) => block.bytes().buffer]) {
    const block = dmm.allocateMemory(size).fill(7);
    block.bytes();
    block.toArrayBuffer();
    theirs.push((await transferAway(pick(block))).subarray(0, size));
    blocks.push(block);
  }
}
for (const block of blocks) {
  refuses('ERR_OFFHEAP_ESCAPED', () => dmm.reallocateMemory(block, 300), () => dmm.reallocateMemory(block, 300), () => block.bytes(), () => block.getUint8(0), () => block.toArrayBuffer());
  block.free();
}
const live = [100, 128, 40001].flatMap((size) => Array.from({ length: 100 }, () => dmm.allocateMemory(size).fill(1)));
for (const block of live) block.bytes().fill(2);
check(theirs.every((bytes) => bytes.every((byte) => byte === 7)), 'nobody got the memory while they have it');
finish({ live, escaped: 2 * (100 + 128 + 40001) });
