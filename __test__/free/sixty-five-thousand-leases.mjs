// 65,535 leases of one block run at once; one more is refused, and so is a pin. After the last, the block can be freed.
// expect: exit=0 code=ERR_OFFHEAP_IN_USE
import { DirectMemoryManager as dmm, finish, refuses, rejects, same, turn } from './_free.mjs';

const block = dmm.allocateMemory(5000).fill(7);
let release;
const gate = new Promise((resolve) => { release = resolve; });
let sum = 0;
const leases = Array.from({ length: 65_535 }, () => block.lease(async (bytes) => { await gate; sum += bytes[4999]; }));
await rejects('ERR_OFFHEAP_IN_USE', () => block.lease(() => {}));
refuses('ERR_OFFHEAP_IN_USE', () => block.pin(), () => block.free());
await turn();
release();
await Promise.all(leases);
same(sum, 65_535 * 7, 'bytes read by the leases');
block.pin()[Symbol.dispose]();
block.free();
finish();
