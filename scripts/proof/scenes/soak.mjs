// The soak: `node --expose-gc soak.mjs SECONDS TEARDOWNS SEED [leak]`. Workers come and go in every way that there is, while main
// resets, closes and looks. At the end nothing is live, and what the process has of the system is what it had in the middle.
import { openSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { DirectMemoryManager as dmm, MemoryBlock } from '../../../dist/index.js';
import { KINDS, MIB, Owner, calm, chance, stormy, tried } from './soak-common.mjs';

const [, , seconds, teardowns, seed, leak] = process.argv;
const pick = chance(Number(seed));
const WORKERS = 4;
const HOWS = ['terminate', 'terminate', 'terminate', 'exit', 'throw', 'end'];
/** How much more may be there in the second half than in the first, beyond what orphans explain: their bytes, and two mappings for
 * each region of 2 MiB. In less than a minute heaps are still warming up. */
const MOST = { rss: (Number(seconds) < 60 ? 48 : 24) * MIB, fds: 4, maps: 80 };
const SAMPLE_MS = 250;
const PATIENCE_MS = 60_000;

const failures = [];
const fail = (text) => { if (failures.length < 20) failures.push(text); };
const owner = new Owner(1, pick);
const allocators = calm();
let storm = new Map(KINDS.map((kind) => [kind, stormy(kind)]));
const crew = new Set();
const ended = { terminate: 0, exit: 0, throw: 0, end: 0 };
const samples = [];
const lost = [];
let numbers = 1;
let isOver = false;

function start() {
  numbers += 1;
  const how = HOWS[pick(HOWS.length)];
  const worker = new Worker(new URL('soak-worker.mjs', import.meta.url), { workerData: { number: numbers, seed: pick(2 ** 31), how, rounds: 5 + pick(200) } });
  const each = { worker, how, begun: performance.now(), until: how === 'terminate' ? performance.now() + pick(900) : Infinity };
  crew.add(each);
  worker.on('message', receive);
  worker.on('error', (error) => { if (error.message !== 'as it was told') fail(`a worker: ${error.stack}`); });
  worker.on('exit', () => {
    crew.delete(each);
    ended[how] += 1;
    if (!isOver) start();
  });
}

/** An offer of a worker: for another one, or for main. */
function receive(offer) {
  const others = [...crew];
  if (pick(2) === 0 && others.length > 0) return others[pick(others.length)].worker.postMessage(offer, []);
  let block;
  try {
    block = MemoryBlock.attach(offer.token);
  } catch (error) {
    if (error.code !== 'ERR_INVALID_ARG_VALUE') throw error;
    return;
  }
  owner.held.push({ memory: block, counter: offer.counter, owner: offer.of });
}

/** Ends what is in a stormy allocator, in one of the ways that there are. */
function end(kind) {
  const allocator = storm.get(kind);
  const how = pick(4);
  try {
    if (how === 0) allocator.close();
    else if (how === 1 && kind === 'arena') allocator.rewind(allocator.mark());
    else allocator.reset();
  } catch (error) {
    if (error.code !== 'ERR_OFFHEAP_IN_USE') throw error; // a lease holds it
  }
  storm = new Map(KINDS.map((each) => [each, stormy(each)]));
}

function look() {
  const stats = dmm.getMemoryStats();
  const mine = owner.held.filter(({ memory }) => memory instanceof MemoryBlock);
  if (stats.activeBlocks < mine.length) fail(`activeBlocks ${stats.activeBlocks}, main alone has ${mine.length}`);
  if (stats.totalAllocated - stats.totalFreed !== stats.currentAllocated) fail(`totals of ${stats}`);
  for (const allocator of allocators) {
    const { allocatedSize, freeSize, totalSize, allocatedBlocks } = allocator.getStats();
    if (allocatedSize + freeSize !== totalSize || allocatedBlocks < 0) fail(`figures of ${allocator.name}`);
  }
}

async function step() {
  for (let count = 0; count < 20; count += 1) {
    const what = pick(100);
    if (what < 25) owner.allocateBlock();
    else if (what < 45) owner.allocateIn(allocators[pick(5)], false);
    else if (what < 52) tried(true, () => owner.allocateIn(storm.get(KINDS[pick(6)]), true));
    else if (what < 55) owner.reallocate();
    else if (owner.held.length > 0) owner.free(owner.takeAny());
  }
  while (owner.held.length > 150) owner.free(owner.takeAny());
  const what = pick(30);
  if (what < 3) end(KINDS[pick(6)]);
  if (what === 3) dmm.trim();
  if (what < 6) look();
  if (what === 6) dmm.getAllocatedBlocks();
  if (what === 7) allocators[pick(5)].trim();
  if (what === 8) await owner.wait();
  if (what === 9) await owner.lease();
  const now = performance.now();
  for (const each of crew) {
    if (each.until < now) {
      each.until = Infinity;
      each.stopped = now;
      void each.worker.terminate();
    }
    if (each.begun + PATIENCE_MS < now) throw new Error(`a worker (${each.how}) hangs, ${each.stopped === undefined ? 'and was not terminated' : 'though it was terminated'}`);
  }
  await new Promise((resolve) => setTimeout(resolve, pick(6)));
}

/** What a worker loads. Node leaves the file open that its loader was reading when it was terminated, one of some 100 such workers: that is
 * not counted, as long as it is no more than one for each of them. */
const SCRIPTS = ['soak-worker.mjs', 'soak-common.mjs', '../../../dist/index.js'].map((name) => fileURLToPath(new URL(name, import.meta.url)));

function targetOf(fd) {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return ''; // closed meanwhile: it was that of the listing
  }
}

function openFiles() {
  const all = readdirSync('/proc/self/fd');
  const scripts = all.filter((fd) => SCRIPTS.includes(targetOf(fd))).length;
  return all.length - Math.min(scripts, ended.terminate);
}

function sample() {
  const { escaped } = dmm.getMemoryStats();
  const maps = readFileSync('/proc/self/maps', 'latin1').split('\n').length - Math.ceil(escaped / MIB);
  samples.push({ rss: process.memoryUsage.rss() - escaped, fds: openFiles(), maps, escaped });
  if (leak !== undefined && samples.length % 4 === 0) {
    lost.push(dmm.allocateMemory(100), openSync('/dev/null'), openSync('/dev/null'), openSync('/dev/null'), openSync('/dev/null'), Buffer.alloc(24 * MIB, 1));
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** After a warm-up of a fifth. */
function compare() {
  const warm = samples.slice(samples.length / 5);
  const [first, second] = [warm.slice(0, warm.length / 2), warm.slice(warm.length / 2)];
  for (const [name, most] of Object.entries(MOST)) {
    const [before, after] = [first, second].map((half) => median(half.map((each) => each[name])));
    console.log(`${name}: ${before} in the first half, ${after} in the second (${after - before > most ? 'more' : 'not more'} than ${most} above it)`);
    if (after - before > most) fail(`${name} grow: ${before} in the first half, ${after} in the second`);
  }
}

async function finish() {
  isOver = true;
  const patience = performance.now() + PATIENCE_MS;
  for (const { worker } of crew) void worker.terminate();
  while (crew.size > 0) {
    if (performance.now() > patience) throw new Error('workers hang though they were terminated');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  owner.freeAll();
  for (const allocator of allocators) {
    const { allocatedBlocks, requestedSize, allocatedSize } = allocator.getStats();
    if (allocatedBlocks + requestedSize + allocatedSize !== 0) fail(`${allocator.name} is not empty: ${allocator.getStats()}`);
    allocator.close();
  }
  for (const allocator of storm.values()) allocator.close();
  for (let turn = 0; turn < 5; turn += 1) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const stats = dmm.getMemoryStats();
  if (stats.activeBlocks !== 0 || stats.currentAllocated !== 0 || stats.byAllocator.length !== 0) fail(`blocks are left: ${stats}`);
  const rows = dmm.getAllocatedBlocks().filter(({ escaped }) => !escaped);
  if (rows.length > 0) fail(`rows are left: ${JSON.stringify(rows.slice(0, 3), (_, value) => (typeof value === 'bigint' ? `${value}` : value))}`);
  compare();
}

const started = performance.now();
const total = () => Object.values(ended).reduce((sum, count) => sum + count, 0);
const runs = () => performance.now() - started < Number(seconds) * 1000 || total() < Number(teardowns);
const sampler = setInterval(sample, SAMPLE_MS);
const teller = setInterval(() => {
  const { rss, fds, maps, escaped } = samples.at(-1) ?? {};
  console.log(`${Math.round((performance.now() - started) / 1000)} s: ${total()} workers ended, RSS without orphans ${(rss / MIB).toFixed(0)} MiB, orphans ${(escaped / MIB).toFixed(1)} MiB, ${fds} fds, ${maps} maps`);
}, 10_000);
try {
  for (let count = 0; count < WORKERS; count += 1) start();
  while (runs() && failures.length === 0) await step();
  clearInterval(sampler);
  await finish();
} catch (error) {
  fail(error.stack);
}
clearInterval(teller);
console.log(`${total()} teardowns: ${JSON.stringify(ended)}, seed ${seed}`);
for (const text of failures) console.error(text);
process.exit(failures.length > 0 ? 1 : 0);
