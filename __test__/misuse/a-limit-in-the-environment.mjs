// OFFHEAP_LIMIT=64m holds for everything, zeroed or aligned or reallocated, until setLimit(null) lifts it.
// expect: exit=0 code=ERR_OFFHEAP_LIMIT
// message: Cannot allocate 1,001 bytes: 1,000 bytes left under the limit of 67,108,864 bytes (64 MiB). Free memory, or raise it with DirectMemoryManager.setLimit() or OFFHEAP_LIMIT.
// env: OFFHEAP_LIMIT=64m
import { DirectMemoryManager as dmm, finish, refuses, same } from './_expect.mjs';

const free = 64 * 2 ** 20 - dmm.getMemoryStats().currentAllocated;
const block = dmm.allocateMemory(free - 1000);
const error = refuses('ERR_OFFHEAP_LIMIT', () => dmm.allocateMemory(1001), () => dmm.allocateMemory(2 ** 40), () => dmm.reallocateMemory(block, free + 1), () => dmm.allocateMemory(1001, 'page', { zeroed: true }));
same(`${error.requested} ${error.available} ${error.limit}`, `1001 1000 ${64 * 2 ** 20}`, 'numbers');
dmm.allocateMemory(1000).free();
dmm.setLimit(null);
finish({ live: [block, dmm.allocateMemory(64 * 2 ** 20)] });
