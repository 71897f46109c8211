// Eight workers load the package in the same moment, main after them, and share one tracker and one allocator.
// expect: exit=0 code=none
import { print, same, startWorker, turn } from './_workers.mjs';

const go = new Int32Array(new SharedArrayBuffer(8));
const crew = Array.from({ length: 8 }, (_, number) => startWorker(new URL('_loads.mjs', import.meta.url), { number, go, ends: 'free' }));
while (Atomics.load(go, 0) < 8) await turn();
Atomics.store(go, 1, 1);
Atomics.notify(go, 1);
const { AdvancedMemoryAllocator, DirectMemoryManager } = await import('../../dist/index.js');
for (const { told, ended } of crew) {
  const { broken, mine } = await told;
  same(broken, 0, 'memory with another stamp');
  same(mine, 180, 'rows of a worker');
  same(await ended, 0, 'exit code of a worker');
}
const { activeBlocks, currentAllocated, escaped } = DirectMemoryManager.getMemoryStats();
same([activeBlocks, currentAllocated, escaped].join(), '0,0,0', 'figures');
same(DirectMemoryManager.getAllocatedBlocks().length, 0, 'rows');
const allocator = AdvancedMemoryAllocator.getInstance('loaded', 'slab', 2 ** 22);
same(allocator.getStats().freeSize, 2 ** 22, 'freeSize');
print({ workers: crew.length });
