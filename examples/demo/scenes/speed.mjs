// @ts-check
import { DirectMemoryManager } from 'offheap';
import { setImmediate as turn } from 'node:timers/promises';
import { MEASURED_MS, meanNs } from '../clock.mjs';
import { bytesText, nsText, rateText } from '../printer.mjs';

const SIZES = [64, 1 << 10, 64 << 10, 1 << 20];
const RANGES = [64 << 10, 32 << 20];
const COMPILE_MS = 150; // of the first loops: until the compiler is done with them
const WARM_UP_MS = 20;
const { allocateMemory, compareMemory, copyMemory, createDirectByteBuffer, freeMemory, mismatch, setMemory } = DirectMemoryManager;

/** @type {import('../types.js').Scene} */
export const speed = {
  name: 'speed',
  about: "results first, then the clock; Node's own Buffer beside it",
  async run(context) {
    await pairs(context);
    await operations(context);
  },
};

/** Milliseconds of the fastest call within a stretch of time. @param {() => void} action */
function fastestMs(action) {
  let best = Infinity;
  const end = performance.now() + MEASURED_MS;
  for (let runs = 0; runs < 3 || performance.now() < end; runs += 1) {
    const started = performance.now();
    action();
    best = Math.min(best, performance.now() - started);
  }
  return best;
}

/** Where a loop leaves its Buffer: one that nobody can see might never be made. @type {{ buffer?: Buffer | undefined }} */
const sink = {};

/** What is measured, at one size. @param {number} size @returns {{ [name: string]: (count: number) => void }} */
const loopsOf = (size) => ({
  'block': (count) => {
    for (let index = 0; index < count; index += 1) freeMemory(allocateMemory(size));
  },
  'block + Buffer over it': (count) => {
    for (let index = 0; index < count; index += 1) {
      const block = allocateMemory(size);
      sink.buffer = createDirectByteBuffer(block);
      freeMemory(block);
    }
  },
  'Buffer.allocUnsafeSlow': (count) => {
    for (let index = 0; index < count; index += 1) sink.buffer = Buffer.allocUnsafeSlow(size);
  },
  'Buffer.alloc': (count) => {
    for (let index = 0; index < count; index += 1) sink.buffer = Buffer.alloc(size);
  },
});

/** Allocate and free, at each size. @param {import('../types.js').Context} context */
async function pairs({ ledger, checks, facts, printer }) {
  const results = SIZES.map((size) => {
    const block = ledger.allocate(size);
    const buffer = createDirectByteBuffer(block).fill(0x77);
    const written = block.getUint8(0) === 0x77 && block.getUint8(size - 1) === 0x77;
    ledger.free(block);
    return written && block.freed && buffer.length === 0;
  });
  checks.equal(`right at each size: ${SIZES.map(bytesText).join(', ')}`, results, SIZES.map(() => true));

  /** @type {import('../types.js').Facts} */
  const table = (facts.allocateAndFreeNs = {});
  const rows = [];
  for (const size of SIZES) {
    const row = [bytesText(size)];
    /** @type {import('../types.js').Facts} */
    const figures = (table[size] = {});
    for (const [name, loop] of Object.entries(loopsOf(size))) {
      const { ns, calls } = await meanNs(loop, size === SIZES[0] ? COMPILE_MS : WARM_UP_MS); // oxlint-disable-line no-await-in-loop -- one measurement at a time
      if (name.startsWith('block')) ledger.passed(calls, size);
      figures[name] = ns;
      row.push(nsText(ns));
    }
    rows.push(row);
  }
  sink.buffer = undefined;
  printer.table(['allocate + free', ...Object.keys(loopsOf(0))], rows);
  printer.note('A block is free at once; a Buffer when it is collected, as far as that fell into the time.\n');
}

/**
 * What is measured on one range of bytes: what the two targets hold before (the source's bytes or others), ours, Buffer's for the same
 * where it has it, and what must have come of it.
 * @param {{ source: import('offheap').MemoryBlock, target: import('offheap').MemoryBlock, bytes: Buffer, copy: Buffer }} range
 * @returns {{ name: string, before: 'other' | 'same', ours: () => unknown, theirs?: () => unknown, right: () => boolean }[]}
 */
function operationsOn({ source, target, bytes, copy }) {
  const size = bytes.length;
  const view = target.bytes();
  /** The copy with its last byte turned over. */
  const changed = () => {
    copy.writeUInt8(bytes.readUInt8(size - 1) ^ 0xff, size - 1);
    return copy;
  };
  return [
    { name: 'fill', before: 'other', ours: () => setMemory(target, 0, size, 0x3c), theirs: () => copy.fill(0x3c),
      right: () => copy[0] === 0x3c && copy.equals(view) },
    { name: 'copy', before: 'other', ours: () => copyMemory(source, 0, target, 0, size), theirs: () => bytes.copy(copy), right: () => bytes.equals(view) },
    { name: 'copy, non-temporal', before: 'other', ours: () => copyMemory(source, 0, target, 0, size, 'non-temporal'), right: () => bytes.equals(view) },
    { name: 'compare', before: 'same', ours: () => compareMemory(source, 0, target, 0, size), theirs: () => bytes.compare(copy),
      right: () => compareMemory(source, 0, target, 0, size) === 0 && compareMemory(source, 0, changed(), 0, size) === bytes.compare(changed()) },
    { name: 'mismatch', before: 'same', ours: () => mismatch(source, 0, target, 0, size),
      right: () => mismatch(source, 0, target, 0, size) === -1 && mismatch(source, 0, changed(), 0, size) === size - 1 },
    { name: 'swap 8, in place', before: 'same', ours: () => copyMemory(target, 0, target, 0, size, 'swap-endian', 8), theirs: () => copy.swap64(),
      right: () => copy.equals(view) && !copy.equals(bytes) },
  ];
}

/** @param {import('../types.js').Context} context */
async function operations({ input, ledger, checks, facts, printer }) {
  /** @type {import('../types.js').Facts} */
  const table = (facts.gigabytesPerSecond = {});
  /** @type {{ [name: string]: string[] }} */
  const rows = {};
  for (const size of RANGES) {
    const bytes = Buffer.allocUnsafeSlow(size);
    for (let at = 0; at < size; at += input.bytes.length) input.bytes.copy(bytes, at);
    const other = Buffer.alloc(size, bytes.readUInt8(size - 1) ^ 0xff); // at least the last byte differs
    const copy = Buffer.alloc(size);
    const source = ledger.from(bytes, 'page');
    const target = ledger.allocate(size, 'page');
    const list = operationsOn({ source, target, bytes, copy });
    /** @type {import('../types.js').Facts} */
    const figures = (table[size] = {});
    /** @type {string[]} */
    const right = [];
    for (const { name, before, ours, theirs, right: isRight } of list) {
      for (const each of [copy, target.bytes()]) each.set(before === 'other' ? other : bytes);
      ours();
      theirs?.();
      if (isRight()) right.push(name);
      const our = size / fastestMs(ours) / 1e6;
      const their = theirs && size / fastestMs(theirs) / 1e6;
      figures[name] = { block: our, buffer: their ?? null };
      (rows[name] ??= [name]).push(rateText(our), ...(their === undefined ? ['-', ''] : [rateText(their), `${(our / their).toFixed(2)} x`]));
    }
    checks.equal('each operation: the right result, before it was timed', right, list.map(({ name }) => name), { bytes: size });
    ledger.free(source);
    ledger.free(target);
    await turn(); // oxlint-disable-line no-await-in-loop -- the Buffers of one range may go before the next
  }
  const head = RANGES.flatMap((size) => [`block, ${bytesText(size)}`, 'Buffer', 'ratio']);
  printer.table(['operation', ...head], Object.values(rows));
  printer.note("GB/s of the fastest run; the ratio is ours over Buffer's.");
}
