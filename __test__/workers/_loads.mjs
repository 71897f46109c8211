// A worker that loads the package, uses blocks and an allocator, and tells what it saw. `go`, when given, is waited for: then all load at once.
import { parentPort, threadId, workerData } from 'node:worker_threads';
import { stampOf } from './_workers.mjs';

const { number, go, ends, url = '../../dist/index.js' } = workerData;
if (go !== undefined) {
  Atomics.add(go, 0, 1);
  Atomics.wait(go, 1, 0);
}
const { AdvancedMemoryAllocator, DirectMemoryManager, MemoryPool } = await import(url);
const allocator = AdvancedMemoryAllocator.getInstance('loaded', 'slab', 2 ** 22);
const pool = new MemoryPool(300);
const held = [];
for (let count = 0; count < 60; count += 1) {
  const size = 1 + ((count * 37) % 900);
  for (const memory of [DirectMemoryManager.allocateMemory(size), allocator.allocate(size), pool.acquire()]) {
    const stamp = stampOf(number, count, memory.size);
    if (count % 2 === 0) memory.bytes().set(stamp);
    else DirectMemoryManager.copyMemory(stamp, 0, memory, 0, memory.size);
    held.push({ memory, stamp });
  }
}
const broken = held.filter(({ memory, stamp }) => !stamp.equals(memory.copyOut())).length;
const mine = DirectMemoryManager.getAllocatedBlocks().filter((row) => row.threadId === threadId).length;
parentPort.postMessage({ broken, mine, available: DirectMemoryManager.isAvailable() }, []);
// Reachable to the end: a viewed block whose handle was collected just before, and whose buffer's finalizer has not run, may be seen by somebody.
process.on('exit', () => held.length);
if (ends === 'exit') process.exit(5);
if (ends === 'never') setInterval(() => {}, 1000);
if (ends === 'free') {
  for (const { memory, stamp } of held) {
    if (!stamp.equals(memory.copyOut())) throw new Error('given twice');
    memory.free();
  }
}
