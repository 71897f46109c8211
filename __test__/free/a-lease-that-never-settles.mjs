// Leases that never settle keep their blocks, but not the process: it ends by itself, and the block and its view may even be forgotten.
// expect: exit=0 code=ERR_OFFHEAP_IN_USE
// node: --expose-gc
import { DirectMemoryManager as dmm, SIZES, apart, check, collect, finish, isAll, refuses, rowsOf, same } from './_free.mjs';

const live = SIZES.map((size) => dmm.allocateMemory(size).fill(7));
const leased = [];
for (const block of live) void block.lease((bytes) => { leased.push(bytes); return new Promise(() => {}); });
await apart(() => { void dmm.allocateMemory(100, 'word', { label: 'forgotten' }).lease(() => new Promise(() => {})); });
await collect();
for (const block of live) refuses('ERR_OFFHEAP_IN_USE', () => block.free());
check(leased.every((bytes) => isAll(bytes, 7)), 'leased bytes');
same(rowsOf('forgotten').map(({ pinned }) => pinned).join(), 'true', 'pinned blocks are not collected');
finish({ live, others: 'forgotten' });
