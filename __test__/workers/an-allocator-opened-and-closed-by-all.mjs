// Three isolates open a name with one of two sizes, allocate, write, and close it whenever they like: refused are only the ways that the contract names.
// expect: exit=0 code=none
import { isMainThread, workerData } from 'node:worker_threads';
import { AdvancedMemoryAllocator, DirectMemoryManager } from '../../dist/index.js';
import { nothingIsLeft } from './_grants.mjs';
import { MIB, anySize, chance, check, listen, print, startWorker, tell, turn } from './_workers.mjs';

const ROUNDS = 300;
const EXPECTED = new Set(['ERR_OFFHEAP_CONFIG_MISMATCH', 'ERR_OFFHEAP_CLOSED', 'ERR_OFFHEAP_REGION_FULL', 'ERR_OFFHEAP_USE_AFTER_FREE']);
const codes = {};

function once(type, pick) {
  const allocator = AdvancedMemoryAllocator.getInstance('of all', type, MIB * (1 + pick(2)));
  const held = [];
  const steps = pick(60);
  for (let step = 0; step < steps; step += 1) {
    if (pick(3) === 0) held.splice(pick(held.length + 1), 1)[0]?.free();
    else held.push(allocator.allocate(anySize(pick)).fill(step));
    if (pick(5) === 0) held.at(-1)?.bytes().fill(1);
    if (pick(200) === 0) allocator.close();
  }
  if (pick(10) === 0) allocator.reset();
  if (pick(4) === 0) allocator.close();
  else for (const memory of held) memory.free();
}

function tried(type, pick) {
  try {
    once(type, pick);
  } catch (error) {
    if (!EXPECTED.has(error.code)) throw error;
    codes[error.code] = (codes[error.code] ?? 0) + 1;
  }
}

async function live(type, pick) {
  for (let round = 0; round < ROUNDS; round += 1) {
    tried(type, pick);
    if (isMainThread && round % 10 === 0) await turn();
  }
}

async function work() {
  await live(workerData.type, chance(workerData.number));
  await tell(codes);
}

async function main() {
  const type = process.argv[2];
  const begin = DirectMemoryManager.getMemoryStats();
  const crew = [2, 3].map((number) => startWorker(new URL(import.meta.url), { type, number }));
  await live(type, chance(1));
  const reports = [codes, ...(await listen(crew))];
  check(reports.some((each) => each.ERR_OFFHEAP_CLOSED > 0), `somebody closed it under another: ${JSON.stringify(reports)}`);
  const [left] = DirectMemoryManager.getMemoryStats().byAllocator;
  for (const total of [MIB, 2 * MIB]) if (left === undefined || left.totalSize === total) AdvancedMemoryAllocator.getInstance('of all', type, total).close();
  nothingIsLeft(begin);
  print({ type, reports });
}

await (isMainThread ? main() : work());
