// A worker that waits for words of every kind of memory, and ends meanwhile; see _worker-waits.mjs.
import { parentPort, workerData } from 'node:worker_threads';
import { AdvancedMemoryAllocator, DirectMemoryManager as dmm } from '../../dist/index.js';

const { how, sizes } = workerData;
const blocks = sizes.map((size) => dmm.allocateMemory(size, 'word', { zeroed: true, label: 'waits' }));
blocks[1].bytes();
const types = ['buddy', 'slab', 'arena', 'ring', 'pool', 'hybrid'];
const memory = types.map((type) => AdvancedMemoryAllocator.getInstance(`of waits ${type}`, type, 2 ** 20).allocate(64).fill(0));
for (const each of [...blocks, ...memory]) {
  for (const timeoutMs of [undefined, 60_000]) void each.waitAsync(0, 0, timeoutMs).then(() => parentPort.postMessage('woken', []));
}
parentPort.postMessage(memory.map(({ address }) => address), []);
if (how === 'exit') process.exit(5);
