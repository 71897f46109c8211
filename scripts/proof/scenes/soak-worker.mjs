// A worker of the soak: allocates, shares, waits, leases, until it ends in the way that it was told, with all that it holds.
import { parentPort, workerData } from 'node:worker_threads';
import { DirectMemoryManager as dmm, MemoryBlock, MemoryPool } from '../../../dist/index.js';
import { KINDS, Owner, calm, chance, stampOf, stormy, tried } from './soak-common.mjs';

const { number, seed, how, rounds } = workerData;
const pick = chance(seed);
const owner = new Owner(number, pick);
const pool = new MemoryPool(700, 'word', 8, { limit: 40 });
const allocators = calm();
const storm = new Map();

/** What others offered. Their end ends the offer. */
function receive({ token, of, counter, size }) {
  let block;
  try {
    block = MemoryBlock.attach(token);
  } catch (error) {
    if (error.code !== 'ERR_INVALID_ARG_VALUE') throw error;
    return;
  }
  if (block.size !== size) throw new Error(`${block} was shared with ${size} bytes`);
  owner.held.push({ memory: block, counter, owner: of });
}

function share() {
  const block = dmm.allocateMemory(100 + pick(3000));
  const counter = 2 ** 31 + pick(2 ** 30);
  dmm.copyMemory(stampOf(number, counter, block.size), 0, block, 0, block.size);
  for (let count = 0; count < 1 + pick(2); count += 1) parentPort.postMessage({ token: block.share(), of: number, counter, size: block.size }, []);
  owner.held.push({ memory: block, counter, owner: number });
}

function inStorm() {
  const kind = KINDS[pick(6)];
  tried(true, () => {
    if (!storm.has(kind) || pick(20) === 0) storm.set(kind, stormy(kind));
    owner.allocateIn(storm.get(kind), true);
  });
}

function pooled() {
  if (pool.getStats().inUse >= 40) return;
  owner.enter(pool.acquire());
  owner.held.at(-1).isPooled = true;
}

async function round() {
  for (let step = 0; step < 60; step += 1) {
    const what = pick(100);
    if (what < 20) owner.allocateBlock();
    else if (what < 40) owner.allocateIn(allocators[pick(5)], false);
    else if (what < 50) inStorm();
    else if (what < 56) pooled();
    else if (what < 59) owner.reallocate();
    else if (owner.held.length > 0) owner.free(owner.takeAny());
  }
  while (owner.held.length > 120) owner.free(owner.takeAny());
  const rarely = pick(40);
  if (rarely < 8) share();
  if (rarely === 8) await owner.wait();
  if (rarely < 12) await owner.lease();
  if (rarely === 13) dmm.getMemoryStats();
  if (rarely === 14) dmm.trim();
  if (rarely === 15) dmm.getAllocatedBlocks();
  await new Promise((resolve) => setImmediate(resolve));
}

parentPort.on('message', receive);
const last = how === 'terminate' ? Infinity : rounds;
for (let count = 0; count < last; count += 1) await round();
if (how === 'exit') process.exit(5);
if (how === 'throw') setImmediate(() => { throw new Error('as it was told'); });
else parentPort.close();
