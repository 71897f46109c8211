// One isolate resets an allocator, hundreds of times, while two others allocate, view and free: they lose what they hold and go on; nothing is given twice.
// expect: exit=0 code=none
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { AdvancedMemoryAllocator, DirectMemoryManager } from '../../dist/index.js';
import { Claims, claimsOver } from './_claims.mjs';
import { MIB, anySize, chance, check, listen, print, same, startWorker, tell, turn } from './_workers.mjs';

const [RESETS, MOST_RESETS, ENOUGH] = [300, 100_000, 100]; // resets, and on until each worker was granted enough: one may start late
const EXPECTED = new Set(['ERR_OFFHEAP_USE_AFTER_FREE', 'ERR_OFFHEAP_REGION_FULL']);
if (isMainThread) EXPECTED.add('ERR_OFFHEAP_IN_USE'); // of a reset, while a worker has a pin
const codes = {};

/** Runs what a reset elsewhere may refuse; what else is thrown ends the process. */
function tried(act) {
  try {
    return act();
  } catch (error) {
    if (!EXPECTED.has(error.code)) throw error;
    codes[error.code] = (codes[error.code] ?? 0) + 1;
    return null;
  }
}

/** For a moment: a reset elsewhere is refused meanwhile, or has begun and refuses the pin. */
function pinned(memory) {
  try {
    memory.pin()[Symbol.dispose]();
  } catch (error) {
    if (error.code !== 'ERR_OFFHEAP_IN_USE' && error.code !== 'ERR_OFFHEAP_USE_AFTER_FREE') throw error;
  }
}

const open = (type) => AdvancedMemoryAllocator.getInstance('reset', type, MIB, 64);

/** A few hundred steps; frees say when a reset came. */
function live(allocator, claims, held, pick, steps) {
  for (let step = 0; step < steps; step += 1) {
    if (held.length > 0 && pick(100) < held.length) {
      const grant = held.splice(pick(held.length), 1)[0];
      if (!claims.release(grant)) continue; // its reset came, and others have its memory
      tried(() => {
        if (pick(4) === 0) same(grant.memory.bytes().length, grant.memory.size, 'a view of live memory');
        grant.memory.free();
        return null;
      });
    } else {
      const grant = tried(() => claims.claim(() => allocator.allocate(anySize(pick, 4096))));
      if (grant !== null && grant !== undefined) held.push(grant);
      else if (grant === null) for (const each of held.splice(0)) if (claims.release(each)) tried(() => each.memory.free());
    }
    if (!isMainThread && step % 50 === 0 && held.length > 0) pinned(held[0].memory);
  }
}

async function work() {
  const { type, shared, number } = workerData;
  const [claims, allocator, held, pick] = [new Claims(shared, number), open(type), [], chance(number)];
  parentPort.postMessage('ready', []);
  while (!claims.isOver) live(allocator, claims, held, pick, 200);
  for (const each of held) if (claims.release(each)) tried(() => each.memory.free()); // what ends with a worker goes to others
  await tell({ taken: claims.taken, late: claims.late, codes });
}

async function main() {
  const type = process.argv[2];
  const allocator = open(type);
  const start = allocator.getStats();
  const shared = claimsOver(MIB);
  const [claims, held, pick] = [new Claims(shared, 1), [], chance(1)];
  const crew = [2, 3].map((number) => startWorker(new URL(import.meta.url), { type, shared, number }));
  await Promise.all(crew.map(({ told }) => told));
  const telling = listen(crew.map((each) => ({ ...each, told: each.next() })));
  const isEnough = () => [2, 3].every((number) => claims.takenBy(number) > ENOUGH);
  for (let reset = 0; reset < RESETS || (reset < MOST_RESETS && !isEnough()); reset += 1) {
    live(allocator, claims, held, pick, pick(60));
    claims.endTerm(() => {
      while (tried(() => (allocator.reset(), 'done')) !== 'done') codes.again = (codes.again ?? 0) + 1; // a worker has a pin, for a moment
    });
    held.length = 0;
    if (reset % 10 === 0) await turn();
  }
  claims.finish();
  const reports = await telling;
  check(reports.every(({ taken }) => taken > ENOUGH), `every worker was granted memory: ${JSON.stringify(reports)}`);
  allocator.reset();
  for (const key of ['allocatedBlocks', 'allocatedSize', 'requestedSize', 'freeSize', 'largestFree']) same(allocator.getStats()[key], start[key], key);
  same(DirectMemoryManager.getAllocatedBlocks().length, 0, 'rows');
  allocator.close();
  print({ type, codes, reports });
}

await (isMainThread ? main() : work());
