// A fresh process for what stays resident: after most blocks were freed, and beside the bytes of many that live. Prints one line of JSON.
//   node --expose-gc _resident.mjs freed <ours|koffi|Buffer> <together|scattered>
//   node --expose-gc _resident.mjs alive <ours|slab|koffi|ArrayBuffer|plain>
import { checksPassed, expect, expectSame } from './_checks.mjs';
import { HOLDERS } from './_holders.mjs';
import { FREED, LIVE, pagesOf } from './_resident-rules.mjs';

const [task, who, which] = process.argv.slice(2);

/** What a program has usually done before: code, tables, and magazines of what was freed are there. */
const PAIRS = 10_000;

// === What is measured ===

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

/** Collects all that can be: finalizers need turns of the loop, and what V8 frees beside the program needs a moment. */
async function settle() {
  for (let turn = 0; turn < 4; turn += 1) {
    globalThis.gc();
    await pause(20);
  }
}

/** Resident bytes outside the JavaScript heap. */
function outside() {
  const { rss, heapUsed } = process.memoryUsage();
  return rss - heapUsed;
}

/**
 * Places for so many, in lists of a thousand: of one long list V8's collector notes each entry, outside its heap, before it looks at any.
 */
function placesFor(count) {
  const lists = Array.from({ length: count / 1000 }, () => Array.from({ length: 1000 }, () => null));
  return {
    put: (index, memory) => { lists[Math.floor(index / 1000)][index % 1000] = memory; },
    get: (index) => lists[Math.floor(index / 1000)][index % 1000],
  };
}

async function prepare(size, count) {
  const places = placesFor(count);
  const holder = await HOLDERS[who](size);
  for (let i = 0; i < PAIRS; i += 1) holder.free(holder.make(i));
  await settle();
  // Handles of what was freed are kept: V8 keeps pages of dropped objects beside its heap, where nothing tells of them.
  const end = holder.isCollected ? (index) => places.put(index, null) : (index) => holder.free(places.get(index));
  return { ...places, ...holder, end };
}

/** Reads back what must have survived. */
function expectWhole(indices, { get, holds }) {
  for (const index of indices) expect(holds(get(index), index), `the bytes of number ${index} are its own`);
}

// === The two tasks ===

async function freed() {
  const { count, size, survivors, survives } = FREED;
  const holder = await prepare(size, count);
  const { make, put, get, end, trim, address } = holder;
  const before = outside();
  const rssBefore = process.memoryUsage.rss();
  for (let i = 0; i < count; i += 1) put(i, make(i));
  expect(process.memoryUsage.rss() - rssBefore >= count * size, 'what was written is resident');
  for (let i = 0; i < count; i += 1) if (!survives[which](i)) end(i);
  trim();
  await settle();
  const bytes = outside() - before;
  const left = Array.from({ length: count }, (_, index) => index).filter(survives[which]);
  expectSame(left.length, survivors, 'how many survive');
  expectWhole(left, holder);
  if (who !== 'ours') return { bytes };
  const { DirectMemoryManager } = await import('offheap');
  const page = DirectMemoryManager.PAGE_SIZE;
  const pagesBytes = page * pagesOf(left.map((index) => address(get(index))), size, page);
  expectSame(pagesBytes < 2 * survivors * size, which === 'together', 'that the survivors lie together');
  return { bytes, pagesBytes };
}

async function alive() {
  const { count, size } = LIVE;
  const holder = await prepare(size, count);
  const before = outside();
  for (let i = 0; i < count; i += 1) holder.put(i, holder.make(i));
  await settle();
  const bytes = outside() - before - (who === 'plain' ? 0 : count * size);
  expectWhole(Array.from({ length: count }, (_, index) => index), holder);
  return { bytesEach: bytes / count };
}

const facts = await { freed, alive }[task]();
console.log(JSON.stringify({ ...facts, checks: checksPassed() }));
