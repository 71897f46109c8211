// Blocks that are reallocated, shared, attached or freed where the stack ends: each has its one owner before and afterwards.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE
import { DirectMemoryManager as dmm, MemoryBlock, check, finish, refuses, same } from './_expect.mjs';
import { atTheEndOfTheStack } from './_stack.mjs';

for (const [name, first, isViewed] of [['fresh', 64, false], ['viewed', 64, true], ['large', 99_999, false]]) {
  let size = first;
  let block = dmm.allocateMemory(size);
  const view = () => isViewed && block.bytes();
  atTheEndOfTheStack(() => { block = dmm.reallocateMemory(block, (size = (size * 7) % 65_537)); view(); });
  check(block.isValid(), `${name}: the last block that a reallocation gave`);
  const ended = [];
  atTheEndOfTheStack(() => { if (block.isValid()) block.free(); ended[ended.length] = block; block = dmm.allocateMemory(first); view(); });
  if (block.isValid()) block.free();
  check(ended.every(({ freed, freedTimestamp }) => freed && freedTimestamp > 1e12), `${name}: when they were freed`);
}
const block = dmm.allocateMemory(64).fill(9);
const tokens = atTheEndOfTheStack(() => block.share());
const holders = atTheEndOfTheStack(() => { const holder = MemoryBlock.attach(tokens.at(-1)); tokens.pop(); return holder; });
for (const token of tokens) holders.push(MemoryBlock.attach(token));
for (const holder of [...holders, block]) { same(holder.getUint8(63), 9, 'a shared byte'); holder.free(); }
refuses('ERR_OFFHEAP_DOUBLE_FREE', () => block.free());
finish();
