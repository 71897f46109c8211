// The package is loaded by workers alone; main loads it when they are dead, and finds only what they left.
import { Worker } from 'node:worker_threads';

const library = new URL('../../dist/index.js', import.meta.url).href;

export async function onlyAWorkerLoads(how, code) {
  const text = `import('${library}').then(({ DirectMemoryManager: dmm }) => {
    globalThis.kept = [100, 70_000].map((size) => dmm.allocateMemory(size));
    globalThis.views = globalThis.kept.map((block) => block.fill(7).bytes());
    dmm.allocateMemory(64).fill(7);
    require('node:worker_threads').parentPort.postMessage(globalThis.views[1][69_999]);
    ${{ end: '', exit: 'process.exit(5)', terminate: 'setInterval(() => {}, 1000)' }[how]};
  });`;
  for (let round = 0; round < 3; round += 1) {
    const worker = new Worker(text, { eval: true });
    const ended = new Promise((resolve) => { worker.once('exit', resolve); });
    const byte = await new Promise((resolve) => { worker.once('message', resolve); });
    if (how === 'terminate') await worker.terminate();
    if (byte !== 7 || (await ended) !== code) throw new Error(`a byte of ${byte}, exit code ${await ended}`);
  }
  const { SIZES, checkAway, crowd, disperse, finish } = await import('./_free.mjs');
  const left = how === 'terminate' ? 3 * 70_100 : 0;
  for (const size of SIZES) disperse(crowd(size));
  checkAway(left, left);
  finish({ escaped: left });
}
