// What programs and their workers share: chance, stamps, and starting. It does not load the library: some programs leave that to workers.
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker, parentPort } from 'node:worker_threads';

export { turn };
export const MIB = 2 ** 20;
export const TYPES = ['buddy', 'slab', 'arena', 'ring', 'pool', 'hybrid'];

/** Ends the process with an exit code that no header expects; in a worker the error goes to main, see {@link startWorker}. */
export function fail(message) {
  throw new Error(message);
}

export function check(condition, message) {
  if (!condition) fail(`not so: ${message}`);
}

export function same(actual, expected, message) {
  if (!Object.is(actual, expected)) fail(`${message}: ${String(actual)} instead of ${String(expected)}`);
}

/** Prints the line that the spec reads. */
export const print = (facts) => writeSync(1, `${JSON.stringify(facts)}\n`);

/** A seeded source of integers in [0, below). */
export function chance(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Mostly small, some of a page, few that are large. */
export function anySize(pick, largest = 16_384) {
  const kind = pick(20);
  if (kind < 13) return 1 + pick(300);
  return 1 + pick(kind < 19 ? 4096 : largest);
}

/** `size` bytes that only this isolate (`number`) writes, and only once (`counter`). */
export function stampOf(number, counter, size) {
  const pattern = Buffer.alloc(8);
  pattern.writeUInt32LE(0x5a000000 + number, 0);
  pattern.writeUInt32LE(counter, 4);
  return Buffer.alloc(size, pattern);
}

/** A worker; what it throws ends the process. `ended` gives its exit code, `told` its first message, `next()` the next one. */
export function startWorker(url, workerData) {
  const worker = new Worker(url, { workerData, execArgv: [] });
  worker.on('error', (error) => {
    writeSync(2, `a worker: ${error.stack}\n`);
    process.exit(71);
  });
  const ended = new Promise((resolve) => { worker.once('exit', resolve); });
  const next = () => new Promise((resolve) => { worker.once('message', resolve); });
  return { worker, ended, next, told: next() };
}

/**
 * The last thing that a worker does: posts what it has to tell, and waits for main to let it go. A worker that ended at the end of its work
 * could hang: V8 may be compiling for it in the background and want a collection, which a thread that waits for the compiler cannot do.
 */
export async function tell(report) {
  parentPort.postMessage(report, []);
  await once(parentPort, 'message');
  parentPort.close();
}

/** Waits for what each worker of a crew tells, lets all go, and wants them to end well. */
export async function listen(crew) {
  const reports = await Promise.all(crew.map(({ told }) => told));
  for (const { worker } of crew) worker.postMessage('go', []);
  for (const { ended } of crew) same(await ended, 0, 'exit code of a worker');
  return reports;
}
