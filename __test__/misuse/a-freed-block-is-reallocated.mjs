// Reallocating a freed block, and one that was reallocated before; the argument's own fault comes first.
// expect: exit=0 code=ERR_OFFHEAP_USE_AFTER_FREE,ERR_OUT_OF_RANGE
// message: MemoryBlock … cannot be used any more: it was freed. Keep a handle only as long as its memory; isValid() tells.
import { DirectMemoryManager as dmm, finish, refuses } from './_expect.mjs';

const block = dmm.allocateMemory(64);
block.free();
const old = dmm.allocateMemory(64);
const live = [dmm.reallocateMemory(old, 128)];
refuses('ERR_OFFHEAP_USE_AFTER_FREE', () => dmm.reallocateMemory(block, 128), () => dmm.reallocateMemory(old, 128), () => dmm.reallocateMemory(old, 64));
refuses('ERR_OUT_OF_RANGE', () => dmm.reallocateMemory(block, 0));
finish({ live });
