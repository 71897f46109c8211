// Memory that got a new owner many times: none of the old handles reads, writes or frees what the last one has.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE,ERR_OFFHEAP_USE_AFTER_FREE
// message: MemoryBlock … cannot be used any more: it was freed. Keep a handle only as long as its memory; isValid() tells.
import { DirectMemoryManager as dmm, finish, refuses, same } from './_expect.mjs';

const old = [];
for (let round = 0; round < 200; round += 1) {
  const block = dmm.allocateMemory(64);
  if (round % 3 === 0) block.bytes();
  old.push(block);
  block.free();
}
const live = Array.from({ length: 300 }, () => dmm.allocateMemory(64).fill(0));
for (const block of old) {
  refuses('ERR_OFFHEAP_USE_AFTER_FREE', () => block.setUint8(0, 255), () => block.getUint8(0), () => block.fill(255), () => block.bytes(), () => block.pin());
  refuses('ERR_OFFHEAP_DOUBLE_FREE', () => block.free());
}
same(live.filter((block) => dmm.mismatch(block, 0, new Uint8Array(64), 0, 64) !== -1).length, 0, 'blocks that changed');
same(new Set([...old, ...live].map(({ id }) => id)).size, 500, 'different ids');
finish({ live });
