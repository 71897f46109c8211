// The worker that loaded the package first is dead (terminated, or ended) when main loads it: the allocator that it opened is still there, by its name.
// expect: exit=0 code=none
import { check, print, same, startWorker } from './_workers.mjs';

const ends = process.argv[2];
const { worker, ended, told } = startWorker(new URL('_loads.mjs', import.meta.url), { number: 1, ends });
same((await told).broken, 0, 'memory with another stamp');
if (ends === 'never') await worker.terminate();
await ended;

const { AdvancedMemoryAllocator, DirectMemoryManager, MemoryPool } = await import('../../dist/index.js');
const { activeBlocks, escaped, byAllocator } = DirectMemoryManager.getMemoryStats();
same(activeBlocks, 0, 'activeBlocks');
check(ends === 'never' ? escaped > 0 : escaped === 0, `escaped: ${escaped}`);
same(byAllocator.map(({ name, allocatedBlocks }) => `${name} ${allocatedBlocks}`).join(), 'loaded 0', 'allocators');
const mismatch = await Promise.resolve().then(() => AdvancedMemoryAllocator.getInstance('loaded', 'buddy', 2 ** 22)).catch(({ code }) => code);
same(mismatch, 'ERR_OFFHEAP_CONFIG_MISMATCH', 'the name is taken');
const allocator = AdvancedMemoryAllocator.getInstance('loaded', 'slab', 2 ** 22);
const pool = new MemoryPool(300);
const orphans = DirectMemoryManager.getAllocatedBlocks();
check(orphans.every((row) => row.escaped && row.kind !== 'allocator'), 'what is left are orphans');
for (let round = 0; round < 50; round += 1) {
  const memories = [64, 700, 9000].flatMap((size) => [DirectMemoryManager.allocateMemory(size), allocator.allocate(size)]).concat(pool.acquire());
  for (const [index, memory] of memories.entries()) memory.bytes().fill(index + 1);
  const isApart = ({ address, size }) => memories.every((memory) => address + BigInt(size) <= memory.address || memory.address + BigInt(memory.size) <= address);
  check(orphans.every(isApart), 'nothing of an orphan is handed out');
  check(memories.every((memory, index) => memory.copyOut().every((byte) => byte === index + 1)), 'bytes');
  for (const memory of memories) memory.free();
}
same(allocator.getStats().allocatedSize, 0, 'allocatedSize');
allocator.close();
print({ ends, orphans: orphans.length });
