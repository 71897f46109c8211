// Blocks that are asked for where the stack ends: the call throws and nothing is allocated, or it gives the block.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE
import { DirectMemoryManager as dmm, MemoryBlock, MemoryPool, finish, refuses, same } from './_expect.mjs';
import { atTheEndOfTheStack } from './_stack.mjs';

const bytes = new Uint8Array(100).fill(3);
const acts = {
  small: () => dmm.allocateMemory(64), zeroed: () => dmm.allocateMemory(3000, undefined, { zeroed: true }),
  large: () => dmm.allocateMemory(100_000),
  labelled: () => dmm.allocateMemory(1000, 'page', { label: 'deep', zeroed: true }),
  copied: () => MemoryBlock.from(bytes),
};
const pools = [new MemoryPool(256), new MemoryPool(100_000, 'word', 0), new MemoryPool(64, 'page', 4, { zeroOnRelease: true })];
for (const [index, pool] of pools.entries()) acts[`of pool ${index}`] = () => pool.acquire();
const live = () => dmm.getMemoryStats().activeBlocks;
const before = live();
for (const [name, act] of [...Object.entries(acts), ...Object.entries(acts)]) {
  for (const block of atTheEndOfTheStack(act)) block.free();
  MemoryBlock.from(bytes).free(); // frees what could not be freed there
  same(live(), before, `live blocks after ${name}`);
}
for (const pool of pools) { same(pool.getStats().inUse, 0, 'blocks of a pool in use'); pool.close(); }
const block = dmm.allocateMemory(64);
block.free();
refuses('ERR_OFFHEAP_DOUBLE_FREE', () => block.free());
finish();
