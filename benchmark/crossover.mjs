// `npm run bench:crossover`: up to which length does JavaScript copy, fill and compare by itself quicker than a native call does it? Measures both ways of
// facade/handles/staged.ts at each length, in turn, and says where the constants there, HERE_MAX, LOOP_MAX, PATTERN_MAX, SET_MAX and TURNS_MAX, are wrong on this machine.
// The facade's own modules run here, and not the bundle of them: a figure is some nanoseconds more than in the package; the ways compare.
import { Buffer } from 'node:buffer';
import { performance } from 'node:perf_hooks';
import { binding, compareStaged, copyStaged, fillStaged } from '../facade/native.ts';
import { DirectMemoryManager } from '../index.ts';
import { shownPart, shownWhole, stageRange } from '../facade/handles/block.ts';
import { fields } from '../facade/handles/handle.ts';
import {
  HERE_MAX,
  LOOP_MAX,
  PATTERN_MAX,
  SET_MAX,
  TURNS_MAX,
  compareBlocks,
  copyHere,
  copyIn,
  copyOut,
  copyWhole,
  fillBlock,
  stageValue,
} from '../facade/handles/staged.ts';
import { ARGUMENT, RESULT, T } from '../facade/handles/table.ts';

const LENGTHS = Array.from({ length: 21 }, (_, index) => 2 ** index); // 1 B … 1 MiB
const ROUNDS = 12;
const SAMPLE_MS = 4;
/** What a way may cost more and still count as equal: two runs of the same differ by as much. */
const EQUAL = 1.02;

/** A block that somebody looks at, the dearer case, and to which the short ways have become used. */
function viewed(length) {
  const block = DirectMemoryManager.allocateMemory(length, 'page').fill(1);
  block.bytes();
  for (let turn = 0; turn < 8; turn += 1) fillBlock(block, 0, length, 1);
  return block;
}

const MOST = LENGTHS.at(-1);
const [a, b] = [0, 1].map(() => viewed(MOST + 1)); // of one segment, hence of one span; one byte more than is ever copied
const pairs = new Map(LENGTHS.map((length) => [length, [viewed(length), viewed(length)]]));
const bytes = new Uint8Array(MOST).fill(1);
const operand = (block) => [fields.slotOf(block), fields.generationOf(block)];

/** Runs a staged native function, as the facade does above its limit. */
function run(call, length, detail) {
  T[ARGUMENT + 8] = length;
  T[ARGUMENT + 9] = 0;
  T[ARGUMENT + 10] = T[ARGUMENT + 11] = T[ARGUMENT + 12] = T[ARGUMENT + 13] = detail;
  call();
  return T[RESULT] === 0;
}

const copyNatively = (n, from, to) => stageRange(from, ARGUMENT + 4, 0, n) >= 0 && stageRange(to, ARGUMENT, 0, n) >= 0 && run(copyStaged, n, 0);
const compareNatively = (n, one, other) => stageRange(one, ARGUMENT + 4, 0, n) >= 0 && stageRange(other, ARGUMENT, 0, n) >= 0 && run(compareStaged, n, 0);
const fillNatively = (n, block) => stageRange(block, ARGUMENT, 0, n) >= 0 && run(fillStaged, n, 0x07070707);
const eight = Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]);
function fillWithPattern(length, block) {
  if (!stageValue(eight) || stageRange(block, ARGUMENT, 0, length) < 0) return false;
  T[ARGUMENT + 8] = length;
  T[ARGUMENT + 9] = 0;
  fillStaged();
  return T[RESULT] === 0;
}
const copyAll = (n, from, to) => copyWhole(from, to, 0, n);
/** The same by `set`, whatever the length. */
const setAll = (n, from, to) => {
  const source = shownWhole(from, n);
  shownPart(to, 0, n).set(source, 0);
  return true;
};

/** Both ways of each operation, and up to where JavaScript's goes. With `isAll` the blocks are as long as what is done. */
const WAYS = {
  'copy within a span': { most: HERE_MAX, here: (n) => copyHere(a, 0, b, 0, n), native: copyNatively },
  'copy all of a block': { isAll: true, most: SET_MAX, here: copyAll, native: copyNatively },
  'copy all of a block, by turns / by set': { isAll: true, most: TURNS_MAX, here: copyAll, native: setAll },
  'compare': { most: LOOP_MAX, here: (n) => compareBlocks(a, 0, b, 0, n) === 0, native: compareNatively },
  'fill': { most: HERE_MAX, here: (n) => fillBlock(a, 0, n, 7), native: fillNatively },
  'fill all of a block': { isAll: true, most: SET_MAX, here: (n, block) => fillBlock(block, 0, n, 7), native: fillNatively },
  'fill with a pattern of 8 bytes': { most: PATTERN_MAX, here: (n, block) => fillBlock(block, 0, n, eight), native: fillWithPattern },
  'copy from a Uint8Array': {
    most: SET_MAX,
    here: (n) => copyIn(bytes, 0, a, 0, n),
    native: (n) => binding.copy(...operand(a), 0, bytes, 0, 0, n, 0) === undefined,
  },
  'copy to a Uint8Array': {
    most: SET_MAX,
    here: (n) => copyOut(a, 0, bytes, 0, n),
    native: (n) => binding.copy(bytes, 0, 0, ...operand(a), 0, n, 0) === undefined,
  },
};

function sample(act, length, from, to, count) {
  const start = performance.now();
  for (let turn = 0; turn < count; turn += 1) act(length, from, to);
  return ((performance.now() - start) / count) * 1e6;
}

/** The least nanoseconds of both ways, whose samples take turns. */
function measure({ here, native, isAll }, length) {
  const [from, to] = isAll ? pairs.get(length) : [a, b];
  if (!here(length, from, to) || !native(length, from, to)) throw new Error(`${length} bytes are refused`);
  const count = Math.max(20, Math.ceil((SAMPLE_MS * 1e6) / (60 + length / 50)));
  let [ours, theirs] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round += 1) {
    ours = Math.min(ours, sample(here, length, from, to, count));
    theirs = Math.min(theirs, sample(native, length, from, to, count));
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
