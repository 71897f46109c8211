// Getters of the options throw, or are a Proxy that throws: the user's own error comes back, and nothing was allocated.
// expect: exit=0 code=none
import { DirectMemoryManager as dmm, MemoryBlock, fail, finish, same } from './_expect.mjs';

const own = new Error('mine');
const bomb = () => {
  throw own;
};
const options = [Object.defineProperty({}, 'zeroed', { get: bomb }), Object.defineProperty({}, 'label', { get: bomb }), new Proxy({}, { get: bomb })];
for (const each of options) {
  for (const act of [() => dmm.allocateMemory(64, 'word', each), () => MemoryBlock.from(new Uint8Array(64), 'word', each)]) {
    try {
      act();
      fail('nothing was thrown');
    } catch (error) {
      same(error, own, 'the error');
    }
  }
}
finish();
