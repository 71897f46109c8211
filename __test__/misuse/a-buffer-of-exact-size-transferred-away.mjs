// toArrayBuffer() of a block whose memory is longer goes to somebody else: the same, although bytes() has a buffer of its own.
// expect: exit=0 code=ERR_OFFHEAP_ESCAPED
// message: MemoryBlock … cannot be used: its ArrayBuffer was transferred away, and with it the memory. Transfer copyOut() or use share() instead; free() of the handle still succeeds.
import { USES, allRefuse } from './_calls.mjs';
import { DirectMemoryManager as dmm, check, finish, transferAway } from './_expect.mjs';

const block = dmm.allocateMemory(100).fill(7);
const theirs = await transferAway(block.toArrayBuffer());
check(theirs.length === 100 && block.isValid(), 'the memory moved');
await allRefuse('ERR_OFFHEAP_ESCAPED', USES, block);
block.free();
const live = Array.from({ length: 200 }, () => dmm.allocateMemory(100).fill(1));
for (const each of live) each.bytes().fill(2);
check(theirs.every((byte) => byte === 7), 'nobody got the memory while they have it');
theirs.fill(9);
check(live.every((each) => each.getUint8(0) === 2 && each.getUint8(99) === 2), 'they reach nobody');
finish({ live, escaped: 100 });
