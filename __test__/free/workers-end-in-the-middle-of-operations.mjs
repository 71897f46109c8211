// Workers end, in each way, while threads copy and fill their memory: nothing of theirs stays, and no later owner of it loses a byte.
// expect: exit=0 code=none
import { crowd, disperse, finish, same, startWorker, statistics } from './_free.mjs';

async function busy({ dmm: manager, parentPort, workerData: way }) {
  const size = 64 * 2 ** 20;
  const [one, other] = [1, 2].map((value) => manager.allocateMemory(size).fill(value));
  for (let turn = 0; turn < 3; turn += 1) void manager.copyMemoryAsync(one, 0, other, 0, size).catch(() => undefined);
  void manager.fillAsync(one, 0, size, 3).catch(() => undefined);
  void manager.copyMemoryAsync(new Uint8Array(size), 0, other, 0, size).catch(() => undefined);
  parentPort.postMessage('on the way', []);
  await manager.fillAsync(manager.allocateMemory(5000), 0, 5000, 1);
  if (way === 'exit') process.exit(3);
  if (way === 'throw') throw new Error('on purpose');
}
const { activeBlocks } = statistics();
for (const way of ['terminate', 'exit', 'throw', 'terminate', 'exit', 'end']) {
  const { worker, message, ended } = startWorker(busy, way);
  await message();
  if (way === 'terminate') await worker.terminate();
  await ended;
  same(statistics().activeBlocks, activeBlocks, `activeBlocks after ${way}`);
  for (const size of [5000, 70_000]) disperse(crowd(size, { count: 40 }));
}
finish();
