// A worker that waits for, and wakes, words of main's memory. No public way gives two threads the same words yet, so it uses the view of
// an allocator's whole region, and the functions behind `waitAsync` and `notify`.
import { parentPort, workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
const { AdvancedMemoryAllocator } = await import('../index.ts');
const { notifyWaiters, waitForWord } = await import('../facade/handles/waits.ts');

const { name, total, offset, length, brokenChannel } = workerData;
if (brokenChannel) {
  BroadcastChannel.prototype.addEventListener = () => {
    throw new Error('out of order');
  };
}
const { buffer } = AdvancedMemoryAllocator.getInstance(name, 'arena', total).allocate(8).bytes();
const memory = new Uint8Array(buffer, offset, length);
const words = new Int32Array(buffer, offset, length / 4);
const noPin = { [Symbol.dispose]: () => undefined };
const wait = (at, expected, timeoutMs) => new Promise((resolve) => { waitForWord({ memory, offset: at, expected, timeoutMs, pin: () => noPin, resolve }); });

parentPort.postMessage('ready', []);
parentPort.on('message', async ([act, ...args]) => {
  if (act === 'wait') {
    const [label, ...rest] = args;
    const ended = wait(...rest);
    parentPort.postMessage(`waits ${label}`, []);
    parentPort.postMessage(`${label} ${await ended}`, []);
  } else if (act === 'notify') parentPort.postMessage(notifyWaiters(memory, ...args), []);
  else if (act === 'end') parentPort.close();
  else if (act === 'exit') process.exit(5);
  else {
    const [rounds] = args;
    for (let round = 0; round < rounds; round += 1) {
      while (Atomics.load(words, 0) !== 2 * round + 1) await wait(0, 2 * round);
      Atomics.store(words, 0, 2 * round + 2);
      notifyWaiters(memory, 0);
    }
    parentPort.postMessage('done', []);
  }
});
