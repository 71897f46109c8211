// Views of wide elements at offsets that are no multiple of the element's size, or with more elements than fit.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "offset" is out of range. It must be a multiple of 2, the size of an element. Received 1
import { DirectMemoryManager as dmm, finish, refuses, same } from './_expect.mjs';

const block = dmm.allocateMemory(100);
for (const type of [Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array]) {
  const width = type.BYTES_PER_ELEMENT;
  for (let offset = 1; offset < width; offset += 1) refuses('ERR_OUT_OF_RANGE', () => block.view(type, offset), () => block.view(type, offset, 0));
  const fit = Math.floor(100 / width);
  refuses('ERR_OUT_OF_RANGE', () => block.view(type, 0, fit + 1), () => block.view(type, width, fit), () => block.view(type, 0, 2 ** 32));
  same(block.view(type).length, fit, 'elements that fit');
}
finish({ live: [block] });
