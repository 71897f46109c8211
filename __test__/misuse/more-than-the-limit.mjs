// Allocating and reallocating beyond setLimit: a coded error with numbers, nothing changes, and freeing makes room.
// expect: exit=0 code=ERR_OFFHEAP_LIMIT
// message: Cannot allocate 401 bytes: 400 bytes left under the limit of 486,626 bytes (475.22 KiB). Free memory, or raise it with DirectMemoryManager.setLimit() or OFFHEAP_LIMIT.
import { DirectMemoryManager as dmm, MemoryBlock, check, finish, refuses, same } from './_expect.mjs';

const { currentAllocated } = dmm.getMemoryStats();
dmm.setLimit(currentAllocated + 1000);
const block = dmm.allocateMemory(600).fill(7);
const error = refuses('ERR_OFFHEAP_LIMIT', () => dmm.reallocateMemory(block, 1001), () => MemoryBlock.from(new Uint8Array(401)), () => dmm.allocateMemory(401));
same(`${error.requested} ${error.available} ${error.limit}`, `401 400 ${currentAllocated + 1000}`, 'numbers');
check(block.isValid() && block.getUint8(599) === 7, 'the block is as it was');
dmm.allocateMemory(400).free();
dmm.setLimit(0);
refuses('ERR_OFFHEAP_LIMIT', () => dmm.allocateMemory(1));
const smaller = dmm.reallocateMemory(block, 500);
dmm.setLimit(null);
finish({ live: [smaller, dmm.allocateMemory(2 ** 20)] });
