// Both buffers of one block go away, one of them back and forth: still one block, whose free succeeds once.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE,ERR_OFFHEAP_ESCAPED
// message: MemoryBlock … cannot be used: its ArrayBuffer was transferred away, and with it the memory. Transfer copyOut() or use share() instead; free() of the handle still succeeds.
import { DirectMemoryManager as dmm, check, finish, refuses, transferAway } from './_expect.mjs';

const block = dmm.allocateMemory(100).fill(7);
const own = block.bytes().buffer;
const exact = block.toArrayBuffer();
let first = await transferAway(own);
const second = await transferAway(exact);
for (let round = 0; round < 5; round += 1) first = await transferAway(first.buffer);
refuses('ERR_OFFHEAP_ESCAPED', () => block.bytes(), () => block.toArrayBuffer(), () => dmm.reallocateMemory(block, 8), () => block.getInt8(0));
first[99] = 8;
check(second[99] === 8 && second[0] === 7, 'both still show the same memory');
block[Symbol.dispose]();
block[Symbol.dispose]();
refuses('ERR_OFFHEAP_DOUBLE_FREE', () => block.free());
const live = Array.from({ length: 100 }, () => dmm.allocateMemory(100).fill(1));
check(first[0] === 7 && second[0] === 7, 'nobody got the memory');
finish({ live, escaped: 100 });
