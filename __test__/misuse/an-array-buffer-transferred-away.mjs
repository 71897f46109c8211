// The buffer of bytes() goes to somebody else: every access is refused, free succeeds, and the bytes are theirs.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE,ERR_OFFHEAP_ESCAPED
// message: MemoryBlock … cannot be used: its ArrayBuffer was transferred away, and with it the memory. Transfer copyOut() or use share() instead; free() of the handle still succeeds.
import { USES, allRefuse } from './_calls.mjs';
import { DirectMemoryManager as dmm, check, finish, refuses, transferAway } from './_expect.mjs';

const block = dmm.allocateMemory(128).fill(7);
const view = block.bytes();
const theirs = await transferAway(view.buffer);
check(view.length === 0 && theirs.length === 128 && block.isValid(), 'the memory moved');
await allRefuse('ERR_OFFHEAP_ESCAPED', USES, block);
block.free();
refuses('ERR_OFFHEAP_DOUBLE_FREE', () => block.free());
const live = Array.from({ length: 200 }, () => dmm.allocateMemory(128).fill(1));
for (const each of live) each.bytes().fill(2);
check(theirs.every((byte) => byte === 7), 'nobody got the memory while they have it');
theirs.fill(9);
check(live.every((each) => each.getUint8(0) === 2 && each.getUint8(127) === 2), 'they reach nobody');
finish({ live, escaped: 128 });
