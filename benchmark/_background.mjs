// One process of a row of `ops-apart`: an operation off the main thread beside the same one on it, in turn, over the same two blocks.
//   node _background.mjs <time|delay> <copy|fill|compare> <MiB> <turns>     prints one line of JSON: milliseconds by name, or a note, and how much was checked
import { DirectMemoryManager } from 'offheap';
import { compiled } from './_compiled.mjs';
import { checksPassed, expect, expectSame } from './_checks.mjs';
import { FILL, filledTile } from './_ops-rules.mjs';
import { MIB, fillWithTiles, holdsTiles } from './_scenarios.mjs';

const [measure, task, sizeMiB, turns] = process.argv.slice(2);

/** Between two ticks of the timer that looks after the loop: an idle loop shows a delay of this and a little. */
const TICK_MS = 1;
/** How long it ticks before it counts. */
const SETTLE_MS = 20;

const IDLE = 'an idle loop';

const wait = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Blocks with the same contents, every page of them written; as Buffers too. */
function blocksOf(size, count) {
  const blocks = Array.from({ length: count }, () => DirectMemoryManager.allocateMemory(size, 'page'));
  const buffers = blocks.map((block) => DirectMemoryManager.createDirectByteBuffer(block));
  buffers.forEach((bytes) => fillWithTiles(bytes));
  return { a: blocks[0], b: blocks[1], bytes: buffers, size };
}

const inC = (name, call) => (compiled('cloops') === undefined ? {} : { [name]: call });

/** By task: what is done, each under its name, ours first; how it is made ready, and what must be so when it was done. */
const TASKS = {
  copy: ({ a, b, bytes, size }) => ({
    before: () => bytes[1].fill(0),
    after: () => expect(holdsTiles(bytes[1]), 'the copy is its source'),
    ways: {
      'ours': () => DirectMemoryManager.copyMemoryAsync(a, 0, b, 0, size),
      'copyMemory, on the main thread': () => DirectMemoryManager.copyMemory(a, 0, b, 0, size),
      'Buffer.copy, on the main thread': () => bytes[0].copy(bytes[1], 0, 0, size),
      ...inC('memcpy in C', () => compiled('cloops').memcpy(1, bytes[1], bytes[0])),
    },
  }),
  fill: ({ a, bytes, size }) => ({
    before: () => fillWithTiles(bytes[0]),
    after: () => expect(holdsTiles(bytes[0], filledTile), 'a byte is not what it was filled with'),
    ways: {
      'ours': () => DirectMemoryManager.fillAsync(a, 0, size, FILL),
      'setMemory, on the main thread': () => DirectMemoryManager.setMemory(a, 0, size, FILL),
      'Buffer.fill, on the main thread': () => bytes[0].fill(FILL, 0, size),
      ...inC('memset in C', () => compiled('cloops').memset(1, bytes[0], FILL)),
    },
  }),
  compare: ({ a, b, bytes, size }) => ({
    before: () => { bytes[0][size - 1] = bytes[1][size - 1] - 1; },
    after: (order) => expectSame(order, -1, 'the order'),
    ways: {
      'ours': () => DirectMemoryManager.compareAsync(a, 0, b, 0, size),
      'compareMemory, on the main thread': () => DirectMemoryManager.compareMemory(a, 0, b, 0, size),
      'Buffer.compare, on the main thread': () => bytes[0].compare(bytes[1], 0, size, 0, size),
      ...inC('memcmp in C', () => compiled('cloops').memcmp(1, bytes[0], bytes[1])),
    },
  }),
};

async function time(way) {
  const started = performance.now();
  await way();
  return performance.now() - started;
}

/** The longest that the loop kept a timer waiting while something was done. */
async function delayDuring(way) {
  let last = performance.now();
  let ms = 0;
  const look = () => {
    const now = performance.now();
    ms = Math.max(ms, now - last);
    last = now;
  };
  const timer = setInterval(look, TICK_MS);
  await wait(SETTLE_MS);
  ms = 0;
  await way();
  await wait(2 * TICK_MS); // what was blocked shows when the timer ticks again
  look();
  clearInterval(timer);
  return ms;
}

const { before, after, ways } = TASKS[task](blocksOf(Number(sizeMiB) * MIB, task === 'fill' ? 1 : 2));
if (measure === 'delay') ways[IDLE] = () => wait(100);
const notes = {};
for (const [name, way] of Object.entries(ways)) {
  if (name === IDLE) continue;
  before();
  try {
    after(await way());
  } catch (error) { // what gives a wrong result is not timed
    notes[name] = error.message;
    delete ways[name];
  }
}
const seen = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
for (let turn = 0; turn < Number(turns); turn += 1) {
  for (const [name, way] of Object.entries(ways)) seen[name].push(await (measure === 'delay' ? delayDuring(way) : time(way)));
}
console.log(JSON.stringify({ seen, notes, checks: checksPassed() }));
