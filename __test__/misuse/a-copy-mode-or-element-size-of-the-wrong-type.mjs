// Copy modes that are no strings, element sizes that are no numbers; their code must not run.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "elementSize" argument must be of type number. Received type string ('8')
import { DirectMemoryManager as dmm, finish, refuses, same } from './_expect.mjs';
import { NO_NUMBERS } from './_values.mjs';

const block = dmm.allocateMemory(64).fill(9);
const heap = new Uint8Array(64);
for (const value of NO_NUMBERS) {
  refuses('ERR_INVALID_ARG_TYPE', () => dmm.copyMemory(heap, 0, block, 0, 8, 'swap-endian', value));
  if (typeof value !== 'string') refuses('ERR_INVALID_ARG_TYPE', () => dmm.copyMemory(heap, 0, block, 0, 8, value));
}
same(block.getUint8(0), 9, 'the byte from before');
finish({ live: [block] });
