// freeAllMemory leaves blocks whose buffer was transferred away, as it leaves pinned ones; their own free still succeeds.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE,ERR_OFFHEAP_ESCAPED
// message: MemoryBlock … cannot be used: its ArrayBuffer was transferred away, and with it the memory. Transfer copyOut() or use share() instead; free() of the handle still succeeds.
import { DirectMemoryManager as dmm, check, finish, pinBystanders, refuses, same, transferAway } from './_expect.mjs';

const unpin = pinBystanders();
const blocks = [100, 128].map((size) => dmm.allocateMemory(size).fill(7));
const theirs = [];
for (const block of blocks) theirs.push(await transferAway(block.toArrayBuffer()));
same(dmm.freeAllMemory(), 0, 'blocks freed');
check(blocks.every((block) => block.isValid()), 'escaped ones stay');
refuses('ERR_OFFHEAP_ESCAPED', () => blocks[0].bytes(), () => blocks[1].getUint8(0));
const live = Array.from({ length: 200 }, (_, index) => dmm.allocateMemory(100 + (index % 2) * 28).fill(1));
check(theirs.every((bytes) => bytes.every((byte) => byte === 7)), 'nobody got the memory');
for (const block of blocks) block.free();
refuses('ERR_OFFHEAP_DOUBLE_FREE', () => blocks[0].free(), () => blocks[1].free());
unpin();
finish({ live, escaped: 228 });
