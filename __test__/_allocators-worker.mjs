// A worker that holds one grant of every kind but the arena, and waits for its end. It speaks to the addon alone.
import { createRequire } from 'node:module';
import { parentPort, threadId } from 'node:worker_threads';

const binding = createRequire(import.meta.url)('../native/index.cjs');
const T = new Int32Array(binding.open(0, threadId));
const [RESULT, ARGUMENT, MIB] = [8, 16, 2 ** 20];

let held = 0;
['buddy', 'slab', 'arena', 'ring', 'pool', 'hybrid'].forEach((name, kind) => {
  binding.allocatorOpen(Buffer.from(name), kind, MIB, 33, 0);
  if (name === 'arena') return;
  T.set([T[RESULT + 1], T[RESULT + 2], 100, 0, 0], ARGUMENT);
  binding.allocatorAllocate();
  if (T[RESULT] === 0) held += 1;
});
parentPort.postMessage(held, []);
setInterval(() => {}, 1000);
