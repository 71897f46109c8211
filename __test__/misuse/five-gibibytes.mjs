// 5 GiB: accessors reach every byte, views show parts, one buffer of it all is refused where the runtime cannot hold it (Node 20).
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "offset" is out of range. It must be >= 0 && <= 5368709119. Received 5_368_709_120
import { DirectMemoryManager as dmm, NODE, finish, refuses, same } from './_expect.mjs';

const SIZE = 5 * 2 ** 30;
for (const isViewedFirst of [false, true]) {
  const block = dmm.allocateMemory(SIZE, 'page');
  if (isViewedFirst) block.bytes(0, 8);
  const places = [0, 2 ** 30 - 4, 2 ** 31 - 4, 2 ** 32 - 4, 2 ** 32 + 2 ** 29, SIZE - 8];
  for (const at of places) block.setBigUint64(at, BigInt(at) + 1n);
  for (const at of places) same(block.getBigUint64(at), BigInt(at) + 1n, `at ${at}`);
  const part = block.view(BigUint64Array, SIZE - 16, 2);
  same(part[1], BigInt(SIZE - 8) + 1n, 'the last eight bytes through a view');
  part[0] = 42n;
  same(`${block.getBigUint64(SIZE - 16)} ${block.copyOut(SIZE - 16, 8)[0]} ${block.bytes(2 ** 32 + 2 ** 29, 8)[0]}`, '42 42 1', 'seen by all');
  dmm.copyMemory(block, SIZE - 16, block, 2 ** 32 - 8, 16);
  same(block.getBigUint64(2 ** 32 - 8), 42n, 'a copy across 4 GiB');
  refuses('ERR_OUT_OF_RANGE', () => block.getUint8(SIZE), () => block.bytes(SIZE - 8, 9), () => (NODE < 22 ? block.toArrayBuffer() : block.bytes(SIZE, 1)));
  block.free();
  same(part.length, 0, 'length of a view after free');
}
finish();
