// A worker ends, by process.exit() or terminated, while its fs.read into a view waits for a pipe: the bytes come later, and land in no new owner.
// expect: exit=0 code=none
import { writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { SIZES, crowd, disperse, finish, same, startWorker } from './_free.mjs';
import { openFifo } from './_late.mjs';

function readAndEnd({ dmm, parentPort, workerData: { path, size, how } }) {
  const { openSync, read } = require('node:fs');
  read(openSync(path, 'r+'), dmm.allocateMemory(size).fill(7).bytes(), 0, size, null, () => {});
  parentPort.postMessage('reading', []);
  setTimeout(() => (how === 'exit' ? process.exit(5) : undefined), how === 'exit' ? 5 : 100_000);
}
const { descriptor, path, close } = openFifo();
for (const [how, code] of [['exit', 5], ['terminate', 1]]) {
  for (const size of SIZES) {
    const { worker, message, ended } = startWorker(readAndEnd, { path, size, how });
    await message();
    if (how === 'terminate') void worker.terminate();
    await wait(20); // it is ending, or waits for its read
    const owners = crowd(size, { count: 100 });
    writeSync(descriptor, Buffer.alloc(64, 9));
    same(await ended, code, 'exit code of the worker');
    const later = crowd(size, { count: 100 });
    disperse(owners);
    disperse(later);
  }
}
close();
finish({ others: true });
