// Handles forged in another realm; bytes of another realm, which are as good as ours.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "this" argument must be an instance of MemoryBlock. Received an object that only looks like a MemoryBlock
import { createContext, runInContext } from 'node:vm';
import { CALLS, allRefuse } from './_calls.mjs';
import { DirectMemoryManager as dmm, MemoryBlock, finish, same } from './_expect.mjs';

const block = dmm.allocateMemory(64).fill(7);
const context = createContext({ MemoryBlock, block });
const forge = ['Object.create(MemoryBlock.prototype)', 'new (class { constructor() { this.size = 64; } })()', 'Object.create(block, { id: { value: block.id } })'];
for (const code of forge) await allRefuse('ERR_INVALID_ARG_TYPE', CALLS, runInContext(code, context));
same(runInContext('block.getUint8(63) + block.bytes().length', context), 71, 'a real block works there');
for (const bytes of ['new Uint8Array(64).fill(7)', 'new Uint8Array(64).fill(7).buffer', 'new DataView(new Uint8Array(64).fill(7).buffer)', 'new Uint16Array(32).fill(0x0707)']) {
  same(dmm.compareMemory(block, 0, runInContext(bytes, context), 0, 64), 0, bytes);
}
finish({ live: [block] });
