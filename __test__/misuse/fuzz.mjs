// Random calls of every public function with random and hostile values: node --expose-gc fuzz.mjs [seed] [calls].
// Whatever happens, an error has a documented code, figures stay exact, and blocks that no call may change keep their bytes.
import { DirectMemoryManager as dmm, MemoryBlock, check, fail, pinBystanders, print, same, transferAway } from './_expect.mjs';
import { CODES, Hostile, makeValues } from './_hostile.mjs';

const seed = Number(process.argv[2] ?? Date.now() % 0x7fffffff);
const calls = Number(process.argv[3] ?? 3000);
let state = seed >>> 0;

/** mulberry32: 0 ≤ x < 1. */
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let x = Math.imul(state ^ (state >>> 15), state | 1);
  x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
  return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
}
const below = (count) => Math.floor(random() * count);
const pick = (list) => list[below(list.length)];

// === What should be live ===

/** Every block ever made here: `{ block, size, isLive, pins, hasEscaped }`. */
const known = [];
const escapees = [];
let escapedBytes = 0;

function adopt(block) {
  known.push({ block, size: block.size, isLive: true, pins: [], hasEscaped: false });
  return block;
}

function entryOf(block) {
  return known.find((entry) => entry.block === block);
}

function died(block) {
  const entry = entryOf(block);
  if (entry === undefined || !entry.isLive) fail(`something died that did not live: ${block}`);
  if (entry.pins.length > 0) fail(`a pinned block died: ${block}`);
  entry.isLive = false;
  if (entry.hasEscaped) escapedBytes += entry.size;
}

/** Witnesses are read, compared and copied from, and never written to or freed. */
const witnesses = [33, 100, 4096, 70_000].map((size, index) => {
  const block = dmm.allocateMemory(size, 'word', { label: 'witness' }).fill(index + 1);
  if (index % 2 === 0) block.bytes();
  return { block, byte: index + 1, pin: block.pin() };
});

const values = makeValues({ random, below, pick, live: () => pick(known)?.block, kill });

/** What hostile arguments do when they are asked for a value: free, reallocate, allocate, view. */
function kill() {
  const entry = pick(known.filter(({ isLive, pins, hasEscaped }) => isLive && pins.length === 0 && !hasEscaped));
  if (entry === undefined) return;
  const { block } = entry;
  const way = below(3);
  if (way === 0) {
    block.free();
    died(block);
  } else if (way === 1) {
    const next = dmm.reallocateMemory(block, 1 + below(5000));
    died(block);
    adopt(next);
  } else block.toArrayBuffer();
}

// === One call of anything ===

const liveBlock = () => pick(known.filter(({ isLive }) => isLive))?.block ?? adopt(dmm.allocateMemory(64));
const anyBlock = () => (below(4) === 0 ? (pick(known)?.block ?? liveBlock()) : liveBlock());
/** A good value most of the time. */
const or = (good) => (below(100) < 78 ? good() : values.hostile());
const block = () => or(anyBlock);
const operand = () => or(() => pick([anyBlock, values.bytes, () => pick(witnesses).block])());
const target = () => or(() => pick([anyBlock, values.bytes])());
const size = () => or(() => pick([1, 8, 24, 100, 4096, 5000, 40_000, 65_536, 300_001, 1 + below(2 ** 20)]));
const offset = () => or(() => pick([0, 0, 0, 1, 8, below(64), below(5000)]));
const length = () => or(() => pick([0, 1, 8, 16, below(64), below(5000), undefined]));
const count = () => or(() => pick([0, 1, 8, 16, below(64), below(5000)]));
const byte = () => or(() => pick([below(384) - 128, new Uint8Array(1 << below(5)).fill(below(256))]));
const alignment = () => or(() => pick([undefined, 'none', 'word', 'cache-line', 'page', 1, 16, 64, 4096, 65_536]));
const options = () => or(() => pick([undefined, {}, { zeroed: true }, { label: `fuzz ${below(50)}` }, values.options()]));
const mode = () => or(() => pick([undefined, 'normal', 'non-temporal', 'swap-endian']));
const elementSize = () => or(() => pick([undefined, 2, 4, 8, 16]));
const constructor = () => or(() => pick([Uint8Array, Int16Array, Int32Array, Float64Array, BigInt64Array, DataView, Uint8ClampedArray]));

const word = () => or(() => pick([0, 4, 8, 8 * below(8)]));
const number = () => or(() => pick([0, 7, -1, 0n, 7n, -1n]));
const atomicType = () => or(() => pick(['i32', 'i64']));
/** No wait without an end, or of a month. */
const brief = (ms) => (ms === undefined || (typeof ms === 'number' && ms > 300 && ms < 2 ** 31) ? 1 : ms);

const freed = (_, [first]) => died(first);
const STATICS = {
  isAvailable: { args: [] },
  allocateMemory: { args: [size, alignment, options], after: adopt },
  reallocateMemory: { args: [block, size], after: (result, [old]) => (died(old), adopt(result)) },
  freeMemory: { args: [block], after: freed },
  freeAllMemory: { args: [], rare: true, after: sweptAll },
  setMemory: { args: [block, offset, count, byte] },
  zeroMemory: { args: [block] },
  copyMemory: { args: [operand, offset, target, offset, count, mode, elementSize] },
  compareMemory: { args: [operand, offset, operand, offset, count], after: (result) => check([-1, 0, 1].includes(result), 'a comparison') },
  mismatch: { args: [operand, offset, operand, offset, count] },
  copyMemoryAsync: { args: [operand, offset, target, offset, count, mode, elementSize] },
  fillAsync: { args: [block, offset, count, byte] },
  compareAsync: { args: [operand, offset, operand, offset, count], after: (result) => check([-1, 0, 1].includes(result), 'a comparison') },
  createDirectByteBuffer: { args: [block, offset, length], after: keepView },
  getDirectBufferAddress: { args: [operand] },
  getMemoryStats: { args: [] },
  getAllocatedBlocks: { args: [], rare: true },
  findPotentialLeaks: { args: [count], rare: true },
  setLimit: { args: [() => or(() => null)], after: () => dmm.setLimit(null) },
  trim: { args: [], rare: true },
};
const METHODS = {
  toString: { args: [] },
  isValid: { args: [] },
  getAgeMs: { args: [] },
  fill: { args: [byte, offset, length] },
  copyTo: { args: [target, offset, offset, length] },
  equals: { args: [operand] },
  bytes: { args: [offset, length], after: keepView },
  view: { args: [constructor, offset, length], after: keepView },
  toArrayBuffer: { args: [], after: keepView },
  copyOut: { args: [offset, length] },
  text: { args: [offset, length, () => or(() => pick([undefined, 'utf8', 'hex', 'latin1']))] },
  pin: { args: [], after: (pin, _, self) => entryOf(self).pins.push(pin) },
  lease: { args: [() => or(() => pick([(bytes) => bytes.length, async () => kill(), () => { throw new Hostile('lease'); }]))] },
  share: { args: [], after: (token) => MemoryBlock.attach(token).free() },
  free: { args: [], after: (_, __, self) => died(self) },
  atomicLoad: { args: [atomicType, word] },
  atomicCompareExchange: { args: [atomicType, word, number, number] },
  waitAsync: { args: [word, number, () => brief(or(() => below(3)))], after: (result) => check(['not-equal', 'timed-out'].includes(result), 'a wait') },
  notify: { args: [word, () => or(() => pick([undefined, 0, 1, Infinity]))], after: (result) => same(result, 0, 'nobody waits while somebody is notified') },
};
for (const name of ['Store', 'Add', 'And', 'Or', 'Xor', 'Exchange']) METHODS[`atomic${name}`] = { args: [atomicType, word, number] };
for (const kind of ['Int8', 'Uint8', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64', 'BigInt64', 'BigUint64']) {
  METHODS[`get${kind}`] = { args: [offset, () => or(() => pick([undefined, true, false]))] };
  METHODS[`set${kind}`] = { args: [offset, () => or(() => (kind.startsWith('Big') ? 8n : random() * 2 ** 33))] };
}
const GETTERS = ['id', 'size', 'actualSize', 'address', 'alignment', 'label', 'allocatedTimestamp', 'freed', 'freedTimestamp'];
const views = [];

/** The blocks behind views must decide whether these have bytes. */
function keepView(view, args, self = args[0]) {
  views.push({ buffer: view.buffer ?? view, entry: entryOf(self) });
  if (views.length > 300) views.splice(0, 100);
}

/** Everything that was live is dead now, but pinned blocks; what escaped may stay or go. */
function sweptAll() {
  for (const entry of known) {
    if (!entry.isLive || entry.block.isValid()) continue;
    check(entry.pins.length === 0, 'freeAllMemory leaves pinned blocks');
    died(entry.block);
  }
  check(known.every(({ isLive, pins, hasEscaped }) => !isLive || pins.length > 0 || hasEscaped), 'freeAllMemory leaves nothing else');
}

const FUNCTIONS = [];
for (const name of Object.getOwnPropertyNames(dmm)) {
  if (typeof dmm[name] !== 'function' || name === 'prototype') continue;
  if (STATICS[name] === undefined) fail(`${name} is public, and not called here: add it to STATICS`);
  FUNCTIONS.push({ name, ...STATICS[name], isStatic: true });
}
for (const name of Object.getOwnPropertyNames(MemoryBlock.prototype)) {
  if (name === 'constructor') continue;
  const isGetter = GETTERS.includes(name);
  if (!isGetter && METHODS[name] === undefined) fail(`${name} is public, and not called here: add it to METHODS`);
  FUNCTIONS.push({ name, args: [], isGetter, ...METHODS[name] });
}
FUNCTIONS.push({ name: Symbol.dispose, args: [], after: (_, __, self) => entryOf(self).isLive && died(self) });
FUNCTIONS.push({ name: 'from', isFactory: true, args: [target, alignment, options], after: adopt });
FUNCTIONS.push({ name: 'attach', isFactory: true, args: [operand], after: () => fail('a forged token was attached') });

let refused = 0;

/** Calls one function; an error must be a documented one, or our own from code that it had to run. */
async function callOne(index) {
  const chosen = pick(FUNCTIONS);
  if (chosen.rare && below(20) !== 0) return;
  const { name, isStatic, isGetter, isFactory } = chosen;
  const args = chosen.args.map((make) => make());
  const self = isStatic || isFactory ? undefined : block();
  let result;
  try {
    if (isStatic) result = await dmm[name](...args);
    else if (isFactory) result = MemoryBlock[name](...args);
    else if (isGetter) result = Object.getOwnPropertyDescriptor(MemoryBlock.prototype, name).get.call(self);
    else result = await Reflect.apply(MemoryBlock.prototype[name], self, args);
  } catch (error) {
    refused += 1;
    const isTheirs = error instanceof Hostile || (name === 'lease' && typeof args[0] === 'function'); // what their function threw
    if (isTheirs || CODES.has(error?.code)) return;
    fail(`seed ${seed}, call ${index}: ${String(name)} threw what is not documented: ${error?.stack ?? String(error)}`);
  }
  chosen.after?.(result, args, self);
}

/** Now and then: pins go, blocks are made and freed so that neither kind runs out, a buffer goes away. */
async function turn() {
  for (const entry of known) if (entry.pins.length > 0 && below(2) === 0) entry.pins.shift()[Symbol.dispose]();
  const live = known.filter(({ isLive }) => isLive);
  for (let missing = 12 - live.length; missing > 0; missing -= 1) adopt(dmm.allocateMemory(1 + below(10_000)));
  for (const entry of live.slice(40)) {
    if (entry.pins.length > 0) continue;
    entry.block.free();
    died(entry.block);
  }
  const escapee = pick(live);
  if (below(6) === 0 && escapee?.isLive && escapedBytes < 2 ** 20 && !escapee.hasEscaped && escapee.size < 5000) {
    const { buffer } = pick([escapee.block.bytes(), new Uint8Array(escapee.block.toArrayBuffer())]);
    escapee.hasEscaped = true;
    escapees.push({ bytes: (await transferAway(buffer)).fill(0xee) });
  }
  if (below(8) === 0) globalThis.gc?.();
  if (known.length > 4000) known.splice(0, known.length, ...known.filter(({ isLive }, index) => isLive || index > 3800));
}

function checkAll(when) {
  for (const { block: each, byte: wanted } of witnesses) {
    const copy = each.copyOut();
    if (!copy.equals(Buffer.alloc(each.size, wanted))) fail(`seed ${seed}, ${when}: witness of ${each.size} bytes changed`);
  }
  for (const { bytes } of escapees) if (bytes.some((each) => each !== 0xee)) fail(`seed ${seed}, ${when}: bytes that escaped were written by somebody`);
  const live = known.filter(({ isLive }) => isLive);
  for (const { block: each, isLive } of known) if (each.isValid() !== isLive) fail(`seed ${seed}, ${when}: ${each} should ${isLive ? '' : 'not '}live`);
  for (const { buffer, entry } of views) {
    const isRight = entry === undefined || entry.hasEscaped || buffer.byteLength > 0 === entry.isLive;
    if (!isRight) fail(`seed ${seed}, ${when}: a view of ${entry.block} has ${buffer.byteLength} bytes`);
  }
  const own = dmm.getAllocatedBlocks().filter(({ label, escaped }) => !escaped && label !== 'witness');
  const stats = dmm.getMemoryStats();
  const bytes = live.reduce((sum, each) => sum + each.size, 0);
  const others = own.length - live.length; // the bystanders of _expect.mjs
  if (before === undefined) before = { others, bytes: stats.currentAllocated - bytes };
  same(others, before.others, `seed ${seed}, ${when}: rows`);
  same(stats.currentAllocated - bytes, before.bytes, `seed ${seed}, ${when}: currentAllocated`);
  same(stats.totalAllocated - stats.totalFreed, stats.currentAllocated, `seed ${seed}, ${when}: totals`);
  same(stats.activeBlocks, own.length + witnesses.length, `seed ${seed}, ${when}: activeBlocks`);
  same(stats.escaped, escapedBytes, `seed ${seed}, ${when}: escaped`);
}

let before;
pinBystanders();
checkAll('at the start');
for (let index = 0; index < calls; index += 1) {
  await callOne(index);
  if (index % 50 === 0) await turn();
  if (index % 500 === 0) checkAll(`after call ${index}`);
}
checkAll('at the end');
for (const { block: each, isLive, hasEscaped, size: bytes } of known) {
  if (isLive && !hasEscaped) same(each.copyOut(0, Math.min(bytes, 65536)).length, Math.min(bytes, 65536), 'a survivor can be read');
}
print({ stats: 'exact', seed, calls, refused, live: known.filter(({ isLive }) => isLive).length });
