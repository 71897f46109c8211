// A real block whose prototype is replaced by a subclass that overrides everything: the operations look at the memory, not at the methods.
// expect: exit=0 code=ERR_OFFHEAP_USE_AFTER_FREE
// message: MemoryBlock … cannot be used any more: it was freed. Keep a handle only as long as its memory; isValid() tells.
import { USES, allRefuse } from './_calls.mjs';
import { DirectMemoryManager as dmm, MemoryBlock, finish, same } from './_expect.mjs';

class Liar extends MemoryBlock {
  get size() {
    return 2 ** 40;
  }
  get id() {
    return -1;
  }
  isValid() {
    return true;
  }
}
const block = Object.setPrototypeOf(dmm.allocateMemory(64).fill(7), Liar.prototype);
same(`${block.copyOut().length} ${dmm.createDirectByteBuffer(block).length} ${block.bytes().length}`, '64 64 64', 'sizes');
const next = dmm.reallocateMemory(block, 128);
await allRefuse('ERR_OFFHEAP_USE_AFTER_FREE', USES.filter(({ name }) => name !== 'reallocateMemory'), block);
await allRefuse('ERR_OFFHEAP_USE_AFTER_FREE', USES.filter(({ name }) => name === 'reallocateMemory'), block);
finish({ live: [next] });
