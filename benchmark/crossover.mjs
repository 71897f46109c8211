// `npm run bench:crossover`: up to which length does JavaScript copy, fill and compare by itself quicker than a native call does it? Measures both ways of
// facade/handles/staged.ts at each length, in turn, and says where the constants there, HERE_MAX, LOOP_MAX and SET_MAX, are wrong on this machine.
// The facade's own modules run here, and not the bundle of them: a figure is some nanoseconds more than in the package; the ways compare.
import { performance } from 'node:perf_hooks';
import { binding, compareStaged, copyStaged, fillStaged } from '../facade/native.ts';
import { DirectMemoryManager } from '../index.ts';
import { stageRange } from '../facade/handles/block.ts';
import { fields } from '../facade/handles/handle.ts';
import { HERE_MAX, LOOP_MAX, SET_MAX, compareBlocks, copyBlocks, copyIn, copyOut, fillBlock } from '../facade/handles/staged.ts';
import { ARGUMENT, RESULT, T } from '../facade/handles/table.ts';

const LENGTHS = Array.from({ length: 17 }, (_, index) => 16 * 2 ** index); // 16 B … 1 MiB
const ROUNDS = 12;
const SAMPLE_MS = 4;
/** What a way may cost more and still count as equal: two runs of the same differ by as much. */
const EQUAL = 1.02;

const [a, b] = [0, 1].map(() => DirectMemoryManager.allocateMemory(LENGTHS.at(-1), 'page').fill(1)); // of one segment, hence of one span
const bytes = new Uint8Array(LENGTHS.at(-1)).fill(1);
for (const block of [a, b]) block.bytes(); // blocks that somebody looks at: the dearer case
const whole = (block) => [fields.slotOf(block), fields.generationOf(block)];

/** Runs a staged native function, as the facade does above its limit. */
function run(call, length, detail) {
  T[ARGUMENT + 8] = length;
  T[ARGUMENT + 9] = 0;
  T[ARGUMENT + 10] = T[ARGUMENT + 11] = T[ARGUMENT + 12] = T[ARGUMENT + 13] = detail;
  call();
  return T[RESULT] === 0;
}

const copyNatively = (n) => stageRange(a, ARGUMENT + 4, 0, n) >= 0 && stageRange(b, ARGUMENT, 0, n) >= 0 && run(copyStaged, n, 0);
const compareNatively = (n) => stageRange(a, ARGUMENT + 4, 0, n) >= 0 && stageRange(b, ARGUMENT, 0, n) >= 0 && run(compareStaged, n, 0) && T[RESULT + 1] === 0;
const fillNatively = (n) => stageRange(a, ARGUMENT, 0, n) >= 0 && run(fillStaged, n, 0x07070707);

/** Both ways of each operation, and up to where JavaScript's goes. */
const WAYS = {
  'copy within a span': { most: HERE_MAX, here: (n) => copyBlocks(a, 0, b, 0, n, 0), native: copyNatively },
  'compare': { most: LOOP_MAX, here: (n) => compareBlocks(a, 0, b, 0, n) === 0, native: compareNatively },
  'fill': { most: HERE_MAX, here: (n) => fillBlock(a, 0, n, 7), native: fillNatively },
  'copy from a Uint8Array': {
    most: SET_MAX,
    here: (n) => copyIn(bytes, 0, a, 0, n),
    native: (n) => binding.copy(...whole(a), 0, bytes, 0, 0, n, 0) === undefined,
  },
  'copy to a Uint8Array': {
    most: SET_MAX,
    here: (n) => copyOut(a, 0, bytes, 0, n),
    native: (n) => binding.copy(bytes, 0, 0, ...whole(a), 0, n, 0) === undefined,
  },
};

function sample(act, length, count) {
  const start = performance.now();
  for (let turn = 0; turn < count; turn += 1) act(length);
  return ((performance.now() - start) / count) * 1e6;
}

/** The least nanoseconds of both ways, whose samples take turns. */
function measure({ here, native }, length) {
  if (!here(length) || !native(length)) throw new Error(`${length} bytes are refused`);
  const count = Math.max(20, Math.ceil((SAMPLE_MS * 1e6) / (60 + length / 50)));
  let [ours, theirs] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round += 1) {
    ours = Math.min(ours, sample(here, length, count));
    theirs = Math.min(theirs, sample(native, length, count));
  }
  return { here: ours, native: theirs };
}

console.log(`${process.version}: nanoseconds in JavaScript / by a native call`);
for (const [name, way] of Object.entries(WAYS)) {
  const cells = LENGTHS.filter((length) => length <= way.most).map((length) => ({ length, ...measure(way, length) }));
  const slower = cells.filter(({ here, native }) => here > native * EQUAL).map(({ length }) => `${length} B`);
  console.log(`${name}: ${cells.map(({ length, here, native }) => `${length} B ${here.toFixed(0)} / ${native.toFixed(0)}`).join(', ')}`);
  console.log(`  up to ${way.most} B JavaScript does it by itself; slower there: ${slower.length === 0 ? 'at no length' : slower.join(', ')}`);
}
