// Under a limit of address space: takes all but a rest, asks on every path for more than that, frees all, and again. Every
// refusal is a coded error, nothing else changes by it, and in the end the figures are what they were. `leak`: one block is forgotten, which must be noticed.
import { AdvancedMemoryAllocator, DirectMemoryManager as dmm, MemoryBlock, MemoryPool } from '../../../dist/index.js';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const MIB = 2 ** 20;
const ROUNDS = 3;
/** What is left of the address space while everything is asked for. With much less V8 ends the process, as it does without us. */
const REST = 500 * MIB;
/** What is refused then. */
const SIZES = [600 * MIB, 2 ** 30, 3 * 2 ** 30];
const KINDS = ['buddy', 'slab', 'arena', 'ring', 'pool', 'hybrid'];
let refusals = 0;

function refused(act) {
  assert.throws(act, { code: 'ERR_OFFHEAP_OUT_OF_MEMORY' });
  refusals += 1;
}

/** Bytes of address space that the limit leaves. */
function room() {
  const limit = Number(/^Max address space +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))[1]);
  return limit - Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[0]) * dmm.PAGE_SIZE;
}

const filled = [];

/** Takes all but the rest. Later rounds must get what the first one got, for all of it was freed. */
function squeeze() {
  if (filled.length > 0) return filled.map((size) => dmm.allocateMemory(size));
  const all = [];
  for (const size of [2 ** 30, 256 * MIB, 64 * MIB, 17 * MIB]) {
    while (room() - 2 * size > REST) { // a large one is aligned to its size, and may need as much again to find its place
      all.push(dmm.allocateMemory(size));
      filled.push(size);
    }
  }
  return all;
}

const stamp = (memory, value) => memory.fill(value, 0, 100).setUint8(memory.size - 1, value);
function check(memory, value) {
  assert.equal(memory.getUint8(99), value);
  assert.equal(memory.getUint8(memory.size - 1), value);
}

function blocks(kept) {
  for (const size of SIZES) {
    refused(() => dmm.allocateMemory(size));
    refused(() => dmm.allocateMemory(size, 'page', { zeroed: true, label: `${size}` }));
    refused(() => dmm.allocateMemory(size, 2 ** 22));
    refused(() => dmm.reallocateMemory(kept[0], size + kept[0].size));
    refused(() => dmm.reallocateMemory(kept.at(-1), size));
  }
}

function pools() {
  for (const size of SIZES) {
    const pool = new MemoryPool(size, 'page', 4, { zeroed: true });
    refused(() => pool.acquire());
    refused(() => pool.acquire());
    assert.equal(pool.getStats().inUse, 0);
    pool.close();
  }
}

/** Each kind, with totals that are refused, and with one that fits. */
function allocators() {
  for (const kind of KINDS) {
    for (const size of SIZES) refused(() => AdvancedMemoryAllocator.getInstance(`${kind} ${size}`, kind, size));
    const small = AdvancedMemoryAllocator.getInstance(`${kind} that fits`, kind, 2 * MIB);
    stamp(small.allocate(5000), 1);
    small.close();
  }
}

/** What needs little goes on, and is not disturbed by what was refused. */
function smallThings(value) {
  const block = dmm.allocateMemory(5000, 'cache-line', { zeroed: true });
  stamp(block, value);
  const view = block.bytes();
  const other = MemoryBlock.attach(block.share());
  check(other, value);
  block.free();
  assert.equal(view.length, 0);
  check(other, value);
  other.free();
}

async function round(number) {
  const kept = [dmm.allocateMemory(20 * MIB), dmm.allocateMemory(3000)];
  for (const block of kept) stamp(block, number);
  const filler = squeeze();
  blocks(kept);
  pools();
  allocators();
  smallThings(number);
  for (const block of kept) check(block, number);
  for (const block of [...kept, ...filler]) block.free();
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  globalThis.gc();
  dmm.trim();
}

let lost;
const committed = [];
for (let number = 1; number <= ROUNDS; number += 1) {
  await round(number);
  if (process.argv[2] === 'leak') lost = dmm.allocateMemory(100);
  committed.push(dmm.getMemoryStats().committed);
}
const stats = dmm.getMemoryStats();
assert.deepEqual([stats.activeBlocks, stats.currentAllocated, stats.escaped, stats.byAllocator.length], [0, 0, 0, 0], `blocks are left: ${stats}${lost ?? ''}`);
assert.equal(stats.totalAllocated, stats.totalFreed);
assert.deepEqual(dmm.getAllocatedBlocks(), []);
assert.ok(committed[2] <= committed[1], `memory is kept with each round: ${committed}`);
console.log(`${refusals} refusals`);
