// Alignments that are neither number nor string; their code must not run.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "alignment" argument must be one of type number or string. Received null
import { DirectMemoryManager as dmm, MemoryBlock, finish, refuses } from './_expect.mjs';
import { NO_NUMBERS } from './_values.mjs';

for (const value of NO_NUMBERS) {
  if (typeof value !== 'string') refuses('ERR_INVALID_ARG_TYPE', () => dmm.allocateMemory(64, value), () => MemoryBlock.from(new Uint8Array(8), value));
}
finish();
