// What the programs of this folder share: blocks with known bytes, collection in normal turns, workers made of one function.
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { DirectMemoryManager as dmm, check, fail, same, transferAway } from '../misuse/_expect.mjs';

export { turn };
export * from '../misuse/_expect.mjs';

export const MIB = 2 ** 20;
/** One size that its class holds exactly, one that it does not; from a slot of a span to a run of pages. */
export const SIZES = [64, 100, 5000, 65536, 70_000];

export const statistics = () => dmm.getMemoryStats();
export const rowsOf = (label) => dmm.getAllocatedBlocks().filter((row) => row.label === label);

/** Whether there are bytes, and each is `byte`: the first one is, and each equals the one before it. */
export const isAll = (bytes, byte) => bytes[0] === byte && Buffer.compare(bytes.subarray(1), bytes.subarray(0, -1)) === 0;

/** New owners of memory: blocks of one size, every second one viewed, full of `byte`. */
export function crowd(size, { byte = 1, count = size > 8192 ? 150 : 2000 } = {}) {
  return Array.from({ length: count }, (_, index) => {
    const block = dmm.allocateMemory(size).fill(byte);
    if (index % 2 === 0) block.bytes().fill(byte);
    return block;
  });
}

/** None of the crowd lost a byte; then all are freed. */
export function disperse(blocks, byte = 1) {
  for (const block of blocks) check(isAll(block.copyOut(), byte), `a new owner of ${block.size} bytes kept them`);
  for (const block of blocks) block.free();
}

/** `act` runs in a frame that is gone afterwards, so that nothing of it is held by a register. */
export async function apart(act) {
  const result = await act();
  await turn();
  return result;
}

/** Garbage collections, each followed by a turn in which finalizers run. */
export async function collect(rounds = 8) {
  for (let round = 0; round < rounds; round += 1) {
    globalThis.gc();
    await turn();
  }
}

/** Collects until it is so; the process fails when it never is. */
export async function collectUntil(isSo, message) {
  for (let round = 0; round < 100; round += 1) {
    if (isSo()) return;
    await collect(2);
  }
  fail(`never so, after 200 collections: ${message}`);
}

const library = new URL('../../dist/index.js', import.meta.url).href;

/**
 * A worker that runs `scene({ dmm, parentPort, workerData, transferAway })`, a function that uses nothing else of its program.
 * The worker makes no bystanders. `ended` gives its exit code, `received` what it has posted so far.
 */
export function startWorker(scene, workerData) {
  const text = `import('${library}').then(({ DirectMemoryManager: dmm }) => {
    const { parentPort, workerData } = require('node:worker_threads');
    const transferAway = ${transferAway};
    const body = ${scene};
    return body({ dmm, parentPort, workerData, transferAway });
  });`;
  const worker = new Worker(text, { eval: true, workerData });
  const received = [];
  const errors = [];
  worker.on('message', (message) => received.push(message)).on('error', (error) => errors.push(error));
  const ended = new Promise((resolve) => { worker.once('exit', resolve); });
  const message = () => new Promise((resolve) => { worker.once('message', resolve); });
  return { worker, received, errors, ended, message };
}

/** Address ranges of this process, as the system lists them. */
export async function mappings() {
  check(process.platform === 'linux', 'the system lists the address ranges of a process (Linux)');
  const { readFileSync } = await import('node:fs');
  return readFileSync('/proc/self/maps', 'utf8').trimEnd().split('\n').map((line) => {
    const [from = '', to = ''] = line.split(' ')[0].split('-');
    return { from: BigInt(`0x${from}`), to: BigInt(`0x${to}`), line };
  });
}

/** Highest resident size of this process so far. */
export const peakBytes = () => process.resourceUsage().maxRSS * 1024;

/** `bytes` are with somebody else, or orphaned; rows tell of `rowBytes` of them at least: those whose handles nobody freed. */
export function checkAway(bytes, rowBytes = 0) {
  same(statistics().escaped, bytes, 'escaped');
  const sum = dmm.getAllocatedBlocks().reduce((total, { size, escaped }) => total + (escaped ? size : 0), 0);
  check(sum >= rowBytes && sum <= bytes, `${sum} bytes in rows that say escaped, at least ${rowBytes}`);
}
