// A worker ends while it has blocks in every state; what is left of it in the figures of the process.
import { SIZES, apart, check, checkAway, collect, crowd, disperse, same, startWorker, statistics } from './_free.mjs';

export const VIEWED_BYTES = SIZES.reduce((sum, size) => sum + 2 * size, 0);

/** Per size: never viewed, viewed, viewed through an exact buffer; viewed and freed, never viewed and freed. */
function fill({ dmm, parentPort, workerData: { how, sizes } }) {
  globalThis.kept = sizes.map((size) => {
    const blocks = Array.from({ length: 5 }, () => dmm.allocateMemory(size, 'word', { label: 'worker' }).fill(7));
    const views = [blocks[1].bytes(), blocks[2].toArrayBuffer(), blocks[3].bytes()];
    for (const block of blocks.slice(3)) block.free();
    return { blocks, views };
  });
  parentPort.postMessage(dmm.getAllocatedBlocks().filter(({ label, escaped }) => label === 'worker' && !escaped).length, []);
  if (how === 'exit') process.exit(5);
  if (how === 'throw') throw new Error('thrown in a worker');
  if (how === 'terminate') setInterval(() => {}, 1000);
}

const CODES = { end: 0, exit: 5, throw: 1, terminate: 1 };

/** Runs such a worker to its end; main's own figures must be as before, whatever was orphaned. */
export async function workerEndsBy(how) {
  const before = statistics();
  const { worker, message, ended, errors } = startWorker(fill, { how, sizes: SIZES });
  same(await message(), 3 * SIZES.length, 'rows that the worker sees');
  if (how === 'terminate') await worker.terminate();
  same(await ended, CODES[how], 'exit code of the worker');
  same(errors.map(({ message: text }) => text).join(), how === 'throw' ? 'thrown in a worker' : '', 'its errors');
  same(statistics().activeBlocks, before.activeBlocks, 'activeBlocks');
  same(statistics().currentAllocated, before.currentAllocated, 'currentAllocated');
}

/** Several such workers, one after the other; each leaves `escaped` bytes, and memory does not grow by what was not orphaned. */
export async function workersEndBy(how, { rounds = 4, escaped = 0 } = {}) {
  await workerEndsBy(how);
  checkAway(escaped, escaped);
  const { committed } = statistics();
  for (let round = 2; round <= rounds; round += 1) {
    await apart(() => workerEndsBy(how));
    checkAway(escaped * round, escaped * round);
    for (const size of SIZES) disperse(crowd(size, { count: 100 }));
  }
  await collect();
  checkAway(escaped * rounds, escaped * rounds);
  const grown = statistics().committed - committed - 2 * escaped * rounds;
  check(grown <= 64 * 2 ** 20, `committed grew by ${grown} bytes`);
}
