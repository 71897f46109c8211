// Reads and writes that begin inside a block and end outside, of each width, in each byte order.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "offset" is out of range. It must be >= 0 && <= 0. Received 1
import { DirectMemoryManager as dmm, check, finish, refuses } from './_expect.mjs';

const WIDTHS = { Int8: 1, Uint8: 1, Int16: 2, Uint16: 2, Int32: 4, Uint32: 4, Float32: 4, Float64: 8, BigInt64: 8, BigUint64: 8 };
const live = [1, 3, 7, 8, 100, 40001].map((size) => dmm.allocateMemory(size));
live[4].bytes().fill(1);
for (const block of live) {
  for (const [type, width] of Object.entries(WIDTHS)) {
    const one = type.startsWith('Big') ? 1n : 1;
    if (width <= block.size) block[`set${type}`](block.size - width, one);
    for (let at = Math.max(0, block.size - width + 1); at <= block.size + 1; at += 1) {
      for (const order of [true, false]) {
        refuses('ERR_OUT_OF_RANGE', () => block[`get${type}`](at, order), () => block[`set${type}`](at, one, order));
      }
    }
  }
  check(block.isValid(), 'the block is still there');
}
finish({ live });
