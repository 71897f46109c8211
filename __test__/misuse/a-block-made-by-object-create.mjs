// An object with the prototype of MemoryBlock, but no memory; the prototype itself; and a block's own fields on another object.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "this" argument must be an instance of MemoryBlock. Received an object that only looks like a MemoryBlock
import { inspect } from 'node:util';
import { CALLS, PROTOTYPES, allRefuse } from './_calls.mjs';
import { DirectMemoryManager as dmm, MemoryBlock, finish } from './_expect.mjs';

const block = dmm.allocateMemory(64);
const copy = Object.create(MemoryBlock.prototype, Object.getOwnPropertyDescriptors(block));
const forged = [Object.create(MemoryBlock.prototype), Object.create(block), copy, { ...block }, Object.setPrototypeOf([1], MemoryBlock.prototype)];
for (const each of [...forged, ...PROTOTYPES, { slot: 1, generation: 1, size: 8 }]) {
  await allRefuse('ERR_INVALID_ARG_TYPE', CALLS, each);
  inspect(each);
}
finish({ live: [block] });
