// Values to fill with that are no byte: too large, too small, fractional, NaN; and −128 … 255, which are.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "value" is out of range. It must be >= -128 && <= 255. Received 256
import { DirectMemoryManager as dmm, finish, refuses, same } from './_expect.mjs';

const block = dmm.allocateMemory(64).fill(9);
for (const value of [256, -129, 1.5, -0.5, NaN, Infinity, -Infinity, 2 ** 32, 2 ** 53]) {
  refuses('ERR_OUT_OF_RANGE', () => block.fill(value), () => block.fill(value, 0, 0), () => dmm.setMemory(block, 0, 64, value));
}
same(block.getUint8(0), 9, 'the byte from before');
for (const [value, byte] of [[255, 255], [-128, 128], [-1, 255], [-0, 0]]) same(block.fill(value).getUint8(63), byte, `fill(${value})`);
finish({ live: [block] });
