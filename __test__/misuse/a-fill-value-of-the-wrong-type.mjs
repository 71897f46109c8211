// Values to fill with that are no numbers; their code must not run.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "value" argument must be of type number or an instance of Uint8Array. Received undefined
import { DirectMemoryManager as dmm, finish, refuses, same } from './_expect.mjs';
import { NO_NUMBERS } from './_values.mjs';

const block = dmm.allocateMemory(64).fill(9);
for (const value of [undefined, ...NO_NUMBERS]) {
  refuses('ERR_INVALID_ARG_TYPE', () => block.fill(value), () => dmm.setMemory(block, 0, 64, value), () => dmm.setMemory(block, 0, 0, value));
}
same(block.getUint8(0), 9, 'the byte from before');
finish({ live: [block] });
