// Random calls of everything that is exported, with random and hostile values: node --expose-gc fuzz.mjs [seed] [calls] [canary].
// Whatever happens, an error has a documented code, figures stay exact, and what no call may change keeps its bytes.
import { writeSync } from 'node:fs';
import { OffHeapError } from '../../dist/index.js';
import { DirectMemoryManager as dmm, fail, finish, pinBystanders, transferAway } from './_allocators.mjs';
import { ERROR_CODES } from './_codes.mjs';
import { makeArguments } from './fuzz/arguments.mjs';
import { allocatedEntries, blockEntries, errorEntries, managerEntries } from './fuzz/blocks.mjs';
import { demandAll } from './fuzz/calls.mjs';
import { makeCompare } from './fuzz/compare.mjs';
import { makeDice } from './fuzz/dice.mjs';
import { allocatorEntries, makeWaits, poolEntries } from './fuzz/owners.mjs';
import { makeTruth } from './fuzz/truth.mjs';
import { Hostile, makeValues } from './fuzz/values.mjs';

const seed = Number(process.argv[2] ?? Date.now() % 0x7fffffff);
const calls = Number(process.argv[3] ?? 3000);
const canary = process.argv[4];

const CODES = new Set(ERROR_CODES);
const ARGUMENT_ERRORS = { ERR_INVALID_ARG_TYPE: TypeError, ERR_INVALID_ARG_VALUE: TypeError, ERR_OUT_OF_RANGE: RangeError };
const report = { seed, calls, refused: 0, seen: {} };
let place = 'the start';

process.on('exit', (code) => code !== 0 && writeSync(2, `seed ${seed}, ${place}\n`));
process.on('unhandledRejection', (error) => fail(`a rejection that nobody could catch: ${error?.stack ?? String(error)}`));

/** An error must be a documented one of the right class, or our own from code that was run. */
function judge(error, name, throwsTheirs = false) {
  report.refused += 1;
  const wasCalled = name.endsWith('Async') && error?.message === "Promise constructor cannot be invoked without 'new'"; // as the `onProgress` that was given
  if (error instanceof Hostile || throwsTheirs || wasCalled) return;
  const code = error?.code;
  const wanted = ARGUMENT_ERRORS[code] ?? OffHeapError;
  const isRight = CODES.has(code) && Object.getPrototypeOf(error) === wanted.prototype && error.message.length >= 20;
  if (!isRight) fail(`${name} threw what is not documented: ${error?.stack ?? String(error)}`);
  report.seen[code] = (report.seen[code] ?? 0) + 1;
}

const dice = makeDice(seed);
const { below, pick } = dice;
const truth = makeTruth(dice);
const anything = () => pick([...truth.blocks.slice(-60), ...truth.memories.slice(-60), ...truth.regions, ...truth.pools].map((each) => each.block ?? each.memory ?? each.allocator ?? each.pool));
const values = makeValues(dice, { anything, kill: truth.kill });

/** Witnesses are read, compared and copied from, and never written to or freed. */
const witnesses = [33, 100, 4096, 70_000].map((size, index) => {
  const block = dmm.allocateMemory(size, 'word', { label: 'witness' }).fill(index + 1);
  if (index % 2 === 0) block.bytes();
  return { block, byte: index + 1, pin: block.pin() };
});
const views = []; // { buffer, entry, life }
const escapees = [];

/** What is behind a view must decide whether it has bytes. */
function keepView(view, handle) {
  const entry = truth.entryOf(handle);
  if (view.byteLength > 0) views.push({ buffer: view.buffer ?? view, entry, life: entry.life });
  if (views.length > 300) views.splice(0, 100);
}

const a = makeArguments(dice, truth, values, witnesses);
const waits = makeWaits(truth, { judge, pick, below }, values);
const entries = [
  ...managerEntries(a, truth, keepView), ...blockEntries(a, truth, keepView), ...allocatedEntries(a, truth, keepView),
  ...allocatorEntries(a, truth), ...poolEntries(a, truth, waits, values, dice), ...errorEntries(a),
];
demandAll(entries, ['AlignmentMode', 'AllocatorType', 'CopyMode']);
const weighted = entries.flatMap((entry) => (entry.often ? [entry, entry, entry, entry] : [entry]));
const compare = makeCompare(truth, { views, witnesses, escapees, waiting: waits.waiting });

async function callOne() {
  let entry = pick(weighted);
  while (entry.rare && below(10) !== 0) entry = pick(weighted);
  const self = entry.self();
  const args = entry.args.map((make) => make(self));
  let result;
  try {
    result = entry.call(self, args);
    if (!entry.isLater) result = await result;
  } catch (error) {
    if (!(entry.isEngines && error instanceof TypeError)) judge(error, entry.name, entry.throwsTheirs && typeof args[0] === 'function');
    return;
  }
  entry.done += 1;
  if (entry.refuses) fail(`${entry.name} made what nobody may make`);
  entry.after?.(result, args, self);
}

/** A buffer goes away, and the garbage collector comes. */
async function disturb() {
  truth.tend();
  waits.tend();
  const escapee = pick(truth.live(truth.blocks));
  const mayGo = truth.totals.escaped < 2 ** 20 && escapee !== undefined && !escapee.hasEscaped && !escapee.isShared && escapee.size < 5000;
  if (below(6) === 0 && mayGo) {
    const { buffer } = pick([escapee.block.bytes(), new Uint8Array(escapee.block.toArrayBuffer())]);
    escapee.hasEscaped = true;
    escapees.push({ bytes: (await transferAway(buffer)).fill(0xee), entry: escapee });
  }
  if (below(8) === 0) globalThis.gc?.();
}

/** Lets what was promised come true. */
const settled = async () => {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** The alarm is tested: each of these must be reported. */
const CANARIES = {
  error: () => judge(new RangeError('planted'), 'planted'),
  abort: () => process.abort(),
  leak: () => dmm.allocateMemory(64),
  write: () => witnesses[0].block.fill(9),
};

const unpin = pinBystanders();
compare();
for (let index = 0; index < calls; index += 1) {
  place = `call ${index}`;
  await callOne();
  if (index % 50 === 0) await disturb();
  if (index === calls >> 1) CANARIES[canary]?.();
  if (index % 500 === 0) {
    await settled();
    compare();
  }
}
place = 'the end';
await settled();
compare();
truth.closePools();
await settled();
truth.endAll();
compare();
for (const { block, pin } of witnesses) {
  pin[Symbol.dispose]();
  block.free();
}
unpin();
finish({ escaped: truth.totals.escaped });
const idle = entries.filter(({ done, refuses }) => done === 0 && !refuses).map(({ name }) => name);
writeSync(1, `${JSON.stringify({ ...report, functions: entries.length, idle, bystanders: 'intact', stats: 'exact' })}\n`);
