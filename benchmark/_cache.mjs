// One process of a row of `ops-apart`: reads 256 KiB, copies what no cache holds, and times reading the 256 KiB again. Each line of the 256 KiB names the next, in an order
// that no prefetcher foresees: a line that has left the caches costs a trip to memory.
//   node _cache.mjs <MiB> <turns>     prints one line of JSON: nanoseconds a line by name, and how much was checked
import { CopyMode, DirectMemoryManager } from 'offheap';
import { compiled } from './_compiled.mjs';
import { checksPassed, expect, expectSame } from './_checks.mjs';
import { KIB, MIB, fillWithTiles, holdsTiles, shuffled } from './_scenarios.mjs';

const [sizeMiB, turns] = process.argv.slice(2).map(Number);
const NOTHING = 'nothing copied';
const PAGES = 'a byte of each page read';

const LINE_BYTES = 64;
const LINES = (256 * KIB) / LINE_BYTES;
/** Words of a line. */
const STRIDE = LINE_BYTES / Int32Array.BYTES_PER_ELEMENT;
/** A figure takes no longer than the copy: more of them than elsewhere. */
const PER_TURN = 5;
/** A working set is what is read again and again. */
const ROUNDS = 8;
/** Until the compiler has the loop. */
const WARM_TURNS = 2000;

const working = new Int32Array(LINES * STRIDE);
const order = shuffled(LINES);
order.forEach((line, index) => { working[line * STRIDE] = order[(index + 1) % LINES] * STRIDE; });

/** Visits each line once and comes back to the first. */
function visit() {
  let at = 0;
  for (let i = 0; i < LINES; i += 1) at = working[at];
  return at;
}

const size = sizeMiB * MIB;
const [a, b] = [0, 1].map(() => DirectMemoryManager.allocateMemory(size, 'page'));
const [source, target] = [a, b].map((block) => DirectMemoryManager.createDirectByteBuffer(block));
fillWithTiles(source);

/** More than a cache of 32 MiB holds: reading it leaves nothing of what was copied before. */
const elsewhere = new Uint8Array(64 * MIB).fill(1);

const c = compiled('cloops');
const ways = {
  'ours': () => DirectMemoryManager.copyMemory(a, 0, b, 0, size, CopyMode.NON_TEMPORAL),
  [NOTHING]: () => undefined,
  ...(c?.touchPages !== undefined && { [PAGES]: () => c.touchPages(1, target, source) }),
  'copyMemory, normal': () => DirectMemoryManager.copyMemory(a, 0, b, 0, size),
  'Buffer.copy': () => source.copy(target, 0, 0, size),
  ...(c !== undefined && { 'memcpy in C': () => c.memcpy(1, target, source) }),
  ...(c?.streamCopy !== undefined && { 'streaming stores in C': () => c.streamCopy(1, target, source) }),
};

const notes = {};
for (const [name, way] of Object.entries(ways)) {
  if (name === NOTHING || name === PAGES) continue;
  target.fill(0);
  try {
    way();
    expect(holdsTiles(target), 'the copy differs from its source');
  } catch (error) { // what gives a wrong result is not timed
    notes[name] = error.message;
    delete ways[name];
  }
}
for (let turn = 0; turn < WARM_TURNS; turn += 1) expectSame(visit(), 0, 'where a round of all lines ends');

const seen = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
for (let turn = 0; turn < PER_TURN * turns; turn += 1) {
  for (const [name, way] of Object.entries(ways)) {
    expectSame(elsewhere.indexOf(0), -1, 'the place of a byte that is nowhere');
    for (let round = 0; round < ROUNDS; round += 1) visit();
    way();
    const started = process.hrtime.bigint();
    const end = visit();
    seen[name].push(Number(process.hrtime.bigint() - started) / LINES);
    expectSame(end, 0, 'where a round of all lines ends');
  }
}
console.log(JSON.stringify({ seen, notes, checks: checksPassed() }));
