// Workers are terminated at random moments, while they load the package too, while main works: nothing is handed out twice, and figures are main's own but for what was orphaned.
// expect: exit=0 code=none
import { AdvancedMemoryAllocator, DirectMemoryManager as dmm, checkBystanders } from '../misuse/_expect.mjs';
import { Grants } from './_grants.mjs';
import { SIZES, openAll } from './_lives.mjs';
import { MIB, anySize, chance, check, print, same, stampOf, startWorker, turn } from './_workers.mjs';

const [, , scene, times, given] = process.argv;
const [COUNT, SEED] = [Number(times), Number(given ?? Math.trunc(Math.random() * 2 ** 31))];
const pick = chance(SEED);
process.on('uncaughtException', ({ stack }) => { process.stderr.write(`seed ${SEED}: ${stack}\n`, () => process.exit(70)); });

let stamps = 0;
/** A block of main with a stamp; every second one is viewed. */
function ownBlock(size) {
  stamps += 1;
  const block = dmm.allocateMemory(size);
  dmm.copyMemory(stampOf(1, stamps, size), 0, block, 0, size);
  return { block, counter: stamps, view: stamps % 2 === 0 ? block.bytes() : undefined };
}

function verify({ block, counter, view }) {
  const stamp = stampOf(1, counter, block.size);
  check(stamp.equals(block.copyOut()), `a block of main of ${block.size} bytes kept them`);
  check(view === undefined || stamp.equals(view), `a view of main of ${block.size} bytes kept them`);
}

/** No two of these may share a byte. */
function disjoint(ranges) {
  const sorted = ranges.toSorted((a, b) => (a.from < b.from ? -1 : 1));
  for (const [index, { from, what }] of sorted.entries()) {
    const before = sorted[index - 1];
    check(before === undefined || before.to <= from, `${what} begins at ${from}, ${before?.what} ends at ${before?.to}`);
  }
}
const rangeOf = (what, address, size) => ({ what, from: address, to: address + BigInt(size) });

const before = dmm.getMemoryStats();
const allocators = openAll();
const grants = allocators.map((allocator, index) => new Grants(allocator, 100 + index, pick));
const own = Array.from({ length: 60 }, (_, index) => ownBlock(SIZES[index % SIZES.length]));
const received = [];

function checkFigures() {
  const stats = dmm.getMemoryStats();
  same(stats.activeBlocks, before.activeBlocks + own.length, 'activeBlocks');
  same(stats.currentAllocated, before.currentAllocated + own.reduce((sum, { block }) => sum + block.size, 0), 'currentAllocated');
  const rows = dmm.getAllocatedBlocks();
  const escaped = rows.filter((row) => row.escaped);
  check(escaped.every(({ kind }) => kind !== 'allocator'), 'grants are never orphaned');
  check(escaped.reduce((sum, { size }) => sum + size, 0) <= stats.escaped, 'what rows call escaped is counted');
  same(rows.filter((row) => !row.escaped && row.kind !== 'allocator').length, stats.activeBlocks, 'rows of blocks');
  for (const { allocator, held } of grants) {
    if (allocator.type === 'arena') continue; // it knows nothing of single grants
    same(allocator.getStats().allocatedBlocks, held.length, `allocatedBlocks of a ${allocator.type}`);
    same(allocator.getStats().requestedSize, held.reduce((sum, { memory }) => sum + memory.size, 0), `requestedSize of a ${allocator.type}`);
  }
  return escaped;
}

/** After workers died: all as it was, and what is allocated now is nobody else's. */
function checkAll() {
  checkBystanders();
  for (const each of own) verify(each);
  for (const each of grants) each.verifyAll();
  for (const bytes of received) check(bytes[0] === 7 && Buffer.compare(bytes.subarray(1), bytes.subarray(0, -1)) === 0, 'what a worker sent kept its bytes');
  const escaped = checkFigures();
  for (let count = 0; count < 40; count += 1) own.push(ownBlock(SIZES[pick(SIZES.length)]));
  const blocks = own.map(({ block }) => rangeOf('a block of main', block.address, block.size));
  disjoint([...blocks, ...escaped.map(({ id, address, size }) => rangeOf(`orphan ${id}`, address, size))]);
  disjoint([...blocks, ...received.map((bytes) => rangeOf('what was sent', dmm.getDirectBufferAddress(bytes), bytes.length))]);
  while (own.length > 60) {
    const [each] = own.splice(pick(own.length), 1);
    verify(each);
    each.block.free();
  }
  for (const each of grants) if (each.allocator.type === 'arena') renew(each);
  for (const each of grants) for (let count = 0; count < 20; count += 1) each.step(anySize(pick, 4000), 60);
  while (received.length > 40) received.shift();
}

function renew(arena) {
  arena.verifyAll();
  arena.held.length = 0;
  arena.allocator.reset();
}

async function terminateAtRandom(number) {
  const { worker, ended, told } = startWorker(new URL('_lives.mjs', import.meta.url), { scene, number });
  worker.on('message', ({ theirs, size }) => { if (theirs !== undefined) received.push(theirs.subarray(0, size)); });
  if (pick(4) > 0) await told;
  const until = performance.now() + pick(4000) / 1000;
  if (pick(3) === 0) await new Promise((resolve) => { setTimeout(resolve, pick(40)); });
  while (performance.now() < until) await turn();
  await worker.terminate();
  check((await ended) <= 1, 'exit code of the worker'); // 0 when it had not begun
}

for (let count = 0; count < COUNT; count += 2) {
  await Promise.all([terminateAtRandom(count), terminateAtRandom(count + 1)]);
  checkAll();
}
for (const each of grants) each.giveAll();
for (const { block } of own.splice(0)) block.free();
checkFigures();
const { escaped } = dmm.getMemoryStats();
for (const allocator of allocators) {
  if (allocator.type === 'arena') allocator.reset();
  same(allocator.getStats().allocatedSize, 0, `allocatedSize of a ${allocator.type}`);
  allocator.close();
}
const kept = dmm.getMemoryStats().escaped - escaped;
check(kept % MIB === 0 && kept <= 6 * MIB, `regions that a terminated worker saw are kept: ${kept}`);
same(AdvancedMemoryAllocator.getInstance('all slab', 'buddy', MIB).allocate(8).fill(1).getUint8(7), 1, 'the names are free');
print({ scene, terminated: COUNT, escaped, kept: kept / MIB });
process.exit(0);
