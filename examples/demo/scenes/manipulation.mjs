// @ts-check
import { CopyMode, DirectMemoryManager } from 'offheap';

const SWAPPED = 16 << 20;
const OVERLAP = 1 << 20;
const { compareMemory, copyMemory, mismatch } = DirectMemoryManager;

/** What the file must hold for all of this to mean something. */
const LEAST = 4096;

/** @param {() => void} action */
function timed(action) {
  const started = performance.now();
  action();
  return performance.now() - started;
}

/** @type {import('../types.js').Scene} */
export const manipulation = {
  name: 'manipulation',
  about: 'the file copied, swapped and swapped back, compared, searched for a planted change',
  run(context) {
    const { input, ledger, checks } = context;
    checks.that('the file is long enough to try this on', input.bytes.length >= LEAST, { quiet: true });
    const source = ledger.from(input.bytes, 'page');
    const target = ledger.allocate(source.size, 'page');
    copies(context, source, target);
    overlap(context, target);
    swaps(context, source, target);
    planted(context, source, target);
    ledger.free(source);
    ledger.free(target);
  },
};

/** @typedef {import('offheap').MemoryBlock} Block */

/** @param {import('../types.js').Context} context @param {Block} source @param {Block} target */
function copies({ input, checks, facts }, source, target) {
  const bytes = source.size;
  for (const [name, mode] of /** @type {const} */ ([['NORMAL', CopyMode.NORMAL], ['NON_TEMPORAL', CopyMode.NON_TEMPORAL]])) {
    target.fill(0);
    const ms = timed(() => copyMemory(source, 0, target, 0, bytes, mode));
    facts[`copy ${mode} ms`] = ms;
    checks.that(`copy ${name}: byte for byte what readFile gave`, input.bytes.equals(target.bytes()), { bytes, ms });
  }
}

/** Reverses each group of `width` bytes, plainly. @param {Uint8Array} bytes @param {2 | 4 | 8 | 16} width */
function plainlySwapped(bytes, width) {
  const swapped = Buffer.from(bytes);
  if (width === 2) return swapped.swap16();
  if (width === 4) return swapped.swap32();
  if (width === 8) return swapped.swap64();
  for (let at = 0; at < swapped.length; at += width) swapped.subarray(at, at + width).reverse();
  return swapped;
}

/**
 * A range copied onto itself, a few bytes further on and back. A Buffer, with a copy between, says what must come of it.
 * @param {import('../types.js').Context} context
 * @param {Block} target
 */
function overlap({ input, checks }, target) {
  const length = Math.min(OVERLAP, Math.floor((input.bytes.length - 7) / 8) * 8);
  for (const mode of Object.values(CopyMode)) {
    const moved = (/** @type {Uint8Array} */ bytes) => (mode === CopyMode.SWAP_ENDIAN ? plainlySwapped(bytes, 8) : Buffer.from(bytes));
    const expected = Buffer.from(input.bytes.subarray(0, length + 7));
    target.bytes().set(expected);
    copyMemory(target, 0, target, 7, length, mode);
    moved(expected.subarray(0, length)).copy(expected, 7);
    copyMemory(target, 3, target, 1, length, mode);
    moved(expected.subarray(3, length + 3)).copy(expected, 1);
    checks.that(`copy onto itself, 7 bytes up, then 2 down: ${mode}`, expected.equals(target.bytes(0, length + 7)), { bytes: length });
  }
}

/** @param {import('../types.js').Context} context @param {Block} source @param {Block} target */
function swaps({ input, checks, facts }, source, target) {
  const bytes = Math.min(SWAPPED, Math.floor(source.size / 16) * 16);
  const file = input.bytes.subarray(0, bytes);
  for (const width of /** @type {const} */ ([2, 4, 8, 16])) {
    target.fill(0, 0, bytes);
    const ms = timed(() => copyMemory(source, 0, target, 0, bytes, CopyMode.SWAP_ENDIAN, width));
    facts[`swap ${width} ms`] = ms;
    const right = plainlySwapped(file, width).equals(target.bytes(0, bytes));
    copyMemory(target, 0, target, 0, bytes, CopyMode.SWAP_ENDIAN, width);
    const back = file.equals(target.bytes(0, bytes));
    checks.equal(`SWAP_ENDIAN ${width}: groups reversed; again in place: the file`, [right, back], [true, true], { bytes, ms });
  }
}

/** @param {import('../types.js').Context} context @param {Block} source @param {Block} target */
function planted({ input, checks, facts }, source, target) {
  const bytes = source.size;
  copyMemory(source, 0, target, 0, bytes);
  let equal;
  const ms = timed(() => (equal = [compareMemory(source, 0, target, 0, bytes), mismatch(source, 0, target, 0, bytes)]));
  facts['compare ms'] = ms / 2;
  checks.equal('compare, mismatch: no difference before the change', equal, [0, -1], { bytes, ms: ms / 2 });
  checks.that('the file on the heap is the same too', source.equals(input.bytes), { bytes });

  const places = { first: 0, middle: Math.floor(bytes * 0.618), last: bytes - 1 };
  facts.planted = places;
  for (const [name, index] of Object.entries(places)) {
    const original = input.bytes.readUInt8(index);
    target.setUint8(index, original ^ 0x80); // the top bit: signed bytes would sort the other way
    const found = mismatch(source, 0, target, 0, bytes);
    const order = compareMemory(source, 0, target, 0, bytes);
    const expected = [index, original < 0x80 ? -1 : 1, false];
    checks.equal(`one bit changed (${name}): found, ordered as unsigned bytes`, [found, order, target.equals(source)], expected, {
      result: `index ${found.toLocaleString('en-US')}`,
    });
    target.setUint8(index, original);
  }
  target.setUint8(places.middle, ~input.bytes.readUInt8(places.middle));
  target.setUint8(places.last, ~input.bytes.readUInt8(places.last));
  checks.equal('two changes: the first one is found', mismatch(source, 0, target, 0, bytes), places.middle, {
    result: `index ${places.middle.toLocaleString('en-US')}`,
  });
  copyMemory(source, places.middle, target, places.middle, 1);
  copyMemory(input.bytes, places.last, target, places.last, 1);
  checks.that('both mended: the blocks are equal again', target.equals(source) && input.bytes.equals(target.bytes()), { bytes });
}
