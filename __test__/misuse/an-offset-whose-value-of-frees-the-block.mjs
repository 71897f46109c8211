// Arguments that would free or reallocate the block when converted to a number: refused unread, the block lives.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "offset" argument must be of type number. Received an instance of Object
import { CALLS } from './_calls.mjs';
import { DirectMemoryManager as dmm, check, finish, refuses, rejects } from './_expect.mjs';

const block = dmm.allocateMemory(64).fill(7);
const view = block.bytes();
let ran = 0;
const act = (free) => () => {
  ran += 1;
  free();
  return 0;
};
for (const free of [() => block.free(), () => dmm.reallocateMemory(block, 8), () => dmm.freeAllMemory()]) {
  for (const value of [{ valueOf: act(free) }, { toString: act(free) }, { [Symbol.toPrimitive]: act(free) }]) {
    for (const { run, offset, length, number, isAsync } of CALLS) {
      const refuse = isAsync ? rejects : refuses;
      for (const at of [offset, length, number]) if (at !== undefined) await refuse('ERR_INVALID_ARG_TYPE', () => run(block, at, value));
    }
    refuses('ERR_INVALID_ARG_TYPE', () => dmm.allocateMemory(value), () => dmm.allocateMemory(8, value), () => dmm.reallocateMemory(block, value));
  }
}
check(ran === 0 && block.isValid() && view.length === 64 && block.getUint8(63) === 7, `no conversion ran, the block lives (${ran} ran)`);
finish({ live: [block] });
