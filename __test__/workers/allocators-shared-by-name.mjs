// Main and three workers open one allocator by its name, allocate and free at random, and each verifies every byte before it frees.
// The workers come one by one, while main is at work already; the last one ends without freeing.
// expect: exit=0 code=none
import { isMainThread, workerData } from 'node:worker_threads';
import { AdvancedMemoryAllocator, DirectMemoryManager } from '../../dist/index.js';
import { Grants } from './_grants.mjs';
import { MIB, anySize, chance, check, listen, print, same, startWorker, tell, turn } from './_workers.mjs';

const [STEPS, MOST, WORKERS] = [5000, 300, 3];
const MAIN_IN_ARENA = 8000; // grants of some 1100 bytes: an arena has no more room when they are freed, and a worker may start late

function open(type) {
  return AdvancedMemoryAllocator.getInstance('shared', type, type === 'arena' ? 32 * MIB : MIB);
}

function live(grants, steps) {
  for (let step = 0; step < steps; step += 1) grants.step(anySize(grants.pick), MOST);
}

async function work() {
  const { type, number, seed } = workerData;
  const grants = new Grants(open(type), number, chance(seed + number));
  live(grants, STEPS);
  grants.verifyAll();
  if (number !== WORKERS) grants.giveAll();
  await tell({ taken: grants.counter - grants.full, full: grants.full });
}

async function main() {
  const [, , type, given] = process.argv;
  const seed = Number(given ?? Math.trunc(Math.random() * 2 ** 31));
  process.on('uncaughtException', ({ stack }) => { process.stderr.write(`seed ${seed}: ${stack}\n`, () => process.exit(70)); });
  const allocator = open(type);
  const start = allocator.getStats();
  const grants = new Grants(allocator, 9, chance(seed));
  const crew = [];
  const crewIs = { over: false };
  for (let number = 1; number <= WORKERS; number += 1) {
    crew.push(startWorker(new URL(import.meta.url), { type, number, seed }));
    for (let round = 0; round < 20; round += 1) {
      live(grants, 20);
      await turn();
    }
  }
  const telling = listen(crew).finally(() => { crewIs.over = true; });
  while (!crewIs.over) {
    if (type !== 'arena' || grants.counter < MAIN_IN_ARENA) live(grants, 20);
    await turn();
  }
  grants.verifyAll();
  const mine = grants.held.reduce((sum, { memory }) => sum + memory.size, 0);
  const left = type === 'arena' ? 1 : 0; // an arena does not know what the last worker did not free
  if (left === 0) same(allocator.getStats().requestedSize, mine, 'requested bytes of main alone');
  grants.giveAll();
  if (type === 'arena') allocator.reset();
  const end = allocator.getStats();
  for (const key of ['allocatedBlocks', 'allocatedSize', 'requestedSize']) same(end[key], 0, key);
  for (const key of ['freeSize', 'largestFree']) same(end[key], start[key], key);
  same(DirectMemoryManager.getAllocatedBlocks().filter(({ owner }) => owner === 'shared').length, 0, 'rows of it');
  allocator.close();
  const told = await telling;
  check(told.every(({ taken }) => taken > 50), `every worker was granted memory: ${JSON.stringify(told)}`);
  print({ type, taken: told.map(({ taken }) => taken), full: told.reduce((sum, { full }) => sum + full, grants.full) });
}

await (isMainThread ? main() : work());
