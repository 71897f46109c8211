// Error.prepareStackTrace, stackTraceLimit and captureStackTrace are the user's: errors of ours still have class, code and message.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE,ERR_OFFHEAP_DOUBLE_FREE,ERR_OUT_OF_RANGE
// message: MemoryBlock … cannot be freed: it was freed before. Free each handle once; only [Symbol.dispose]() may come again.
import { DirectMemoryManager as dmm, finish, refuses, same, tampered } from './_expect.mjs';

const block = dmm.allocateMemory(64);
block.free();
const bomb = () => { throw new Error('from the stack'); };
const results = [];
function codes() {
  for (const act of [() => block.free(), () => dmm.allocateMemory(0), () => dmm.allocateMemory('x')]) {
    try {
      act();
    } catch (error) {
      results.push(error.code);
    }
  }
}
const ways = [['prepareStackTrace', { value: bomb }], ['prepareStackTrace', { value: () => 8 }], ['stackTraceLimit', { value: 0, writable: true }], ['stackTraceLimit', { value: 'x' }], ['captureStackTrace', { value: bomb }]];
for (const [key, descriptor] of ways) tampered(Error, key, descriptor, codes);
same(results.join(), Array(5).fill('ERR_OFFHEAP_DOUBLE_FREE,ERR_OUT_OF_RANGE,ERR_INVALID_ARG_TYPE').join(), 'codes');
refuses('ERR_OFFHEAP_DOUBLE_FREE', () => block.free());
refuses('ERR_OUT_OF_RANGE', () => dmm.allocateMemory(0));
refuses('ERR_INVALID_ARG_TYPE', () => dmm.allocateMemory('x'));
finish();
