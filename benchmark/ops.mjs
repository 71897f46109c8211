// Copy, fill, compare, mismatch, byte swap on viewed blocks, next to what Buffer and packages do with theirs, and to loops in C over the
// same pages. GB/s count the bytes of one side. Targets are ratios within the run: what the machine gives is measured, not known.
import * as c from './_ops-c.mjs';
import { memoriesOf } from './_ops-memory.mjs';
import * as own from './_ops-ours.mjs';
import * as peers from './_ops-peers.mjs';
import { compareOf, copyTo, fillOf, mismatchOf, patternOf, swapHere, swapTo } from './_ops-rules.mjs';
import { KIB, MIB, sizeText } from './_scenarios.mjs';

export const group = 'ops';
export const heavy = true;
export const apart = true;

const { ours } = own;
const { peer } = peers;

const SIZES = [1, 64, KIB, 4 * KIB, 64 * KIB, MIB, 64 * MIB];
const LARGEST = 64 * MIB;
/** From here on a copy that is asked to stream, and a fill, which cannot be asked, are to reach a plain loop that does. */
const STREAMED_MIN = 32 * MIB;
/** What a quick run takes of copy, fill and compare; of all else it takes one size. */
const QUICK_SIZES = [1, 64 * KIB, MIB, LARGEST];

/** A row of one size; `casesOf(memories)` by name, each made when it is its turn. */
function row(name, size, { inQuick, demands = [] }, casesOf) {
  const cases = casesOf(memoriesOf(size));
  const bounds = c.BOUNDS.filter((bound) => Object.hasOwn(cases, bound));
  return { operation: `${name} ${sizeText(size)}`, unit: size < KIB ? 'ns' : 'GB/s', bytes: size, target: null, demands, inQuick, bounds, cases };
}

/** From so many times another's rate on nobody is slower: two runs of one function differ by as much. memcpy and memmove, which are one in glibc, show it
 * in each table. */
const LEVEL = 0.97;

/** Where streaming can pay: below, a fence costs more than the stores. */
const streaming = (size, makeCase) => (size < MIB ? {} : { [c.STREAM]: makeCase });

/** Of copy, fill and compare: no slower than Buffer at any size; from 64 KiB on what the C library reaches. */
function demandsOf(size, buffer, library) {
  const demands = [{ times: LEVEL, of: buffer }];
  if (size >= 64 * KIB) demands.push({ times: 0.95, of: library });
  return demands;
}

const streamed = { times: 0.95, of: c.STREAM };

// === Copy, fill, compare ===

function copyRow(size) {
  const demands = demandsOf(size, 'Buffer.copy, ranges', c.MEMCPY);
  if (size === LARGEST) demands.push(streamed);
  return row('copy', size, { demands, inQuick: QUICK_SIZES.includes(size) }, (m) => ({
    'ours': () => ours(m, copyTo, own.copyLoop),
    'Buffer.copy': () => peer(m, copyTo, peers.bufferCopyLoop),
    'Buffer.copy, ranges': () => peer(m, copyTo, peers.bufferCopyRangesLoop),
    'TypedArray.set': () => peer(m, copyTo, peers.setLoop),
    [c.MEMCPY]: () => c.memcpyInC(m, copyTo),
    [c.MEMMOVE]: () => c.memmoveInC(m, copyTo),
    ...streaming(size, () => c.streamCopyInC(m, copyTo)),
  }));
}

function fillRow(size) {
  const demands = demandsOf(size, 'Buffer.fill, ranges', c.MEMSET);
  if (size >= STREAMED_MIN) demands.push(streamed);
  return row('fill', size, { demands, inQuick: QUICK_SIZES.includes(size) }, (m) => ({
    'ours': () => ours(m, fillOf, own.fillLoop),
    'Buffer.fill': () => peer(m, fillOf, peers.bufferFillLoop),
    'Buffer.fill, ranges': () => peer(m, fillOf, peers.bufferFillRangesLoop),
    'TypedArray.fill': () => peer(m, fillOf, peers.typedFillLoop),
    [c.MEMSET]: () => c.memsetInC(m, fillOf),
    ...streaming(size, () => c.streamFillInC(m, fillOf)),
  }));
}

function compareRow(size) {
  const demands = demandsOf(size, 'Buffer.compare, ranges', c.MEMCMP);
  return row('compare', size, { demands, inQuick: QUICK_SIZES.includes(size) }, (m) => ({
    'ours': () => ours(m, compareOf(size), own.compareLoop),
    'Buffer.compare': () => peer(m, compareOf(size), peers.bufferCompareLoop),
    'Buffer.compare, ranges': () => peer(m, compareOf(size), peers.bufferCompareRangesLoop),
    [c.MEMCMP]: () => c.memcmpInC(m, compareOf(size)),
  }));
}

// === Pattern, mismatch ===

function patternRow(size) {
  const demands = [{ times: LEVEL, of: 'Buffer.fill, ranges' }];
  return row('fill with 8 bytes,', size, { demands, inQuick: size === MIB }, (m) => ({
    'ours': () => ours(m, patternOf, own.patternLoop),
    'Buffer.fill, ranges': () => peer(m, patternOf, peers.bufferPatternLoop),
    ...(size >= 8 && { 'BigUint64Array.fill': () => peer(m, patternOf, peers.typedPatternLoop) }),
  }));
}

function mismatchRow(size) {
  return row('mismatch', size, { inQuick: size === MIB }, (m) => ({
    'ours': () => ours(m, mismatchOf(size), own.mismatchLoop),
    'Buffer.compare (order only)': () => peer(m, compareOf(size), peers.bufferCompareLoop),
    ...(size <= MIB && { 'plain loop': () => peer(m, mismatchOf(size), peers.plainMismatchLoop) }),
    [c.MEMCMP]: () => c.memcmpInC(m, compareOf(size)),
  }));
}

// === Byte swap ===

function swapCopyRow(width, size) {
  const demands = size === MIB ? [{ times: 1 / 1.2, of: c.MEMCPY }] : [];
  return row(`swap copy, ${width}-byte words,`, size, { demands, inQuick: size === MIB }, (m) => ({
    'ours': () => ours(m, swapTo(width), own.swapLoop(width)),
    [`copy + Buffer.swap${8 * width}`]: () => peer(m, swapTo(width), peers.copySwapLoops[width]),
    'copy + bswap': () => peer(m, swapTo(width), peers.copyBswapLoop(width)),
    [c.MEMCPY]: () => c.memcpyInC(m, copyTo),
  }));
}

function swapHereRow(width, size) {
  const demands = width === 16 ? [] : [{ times: LEVEL, of: 'bswap' }];
  return row(`swap in place, ${width}-byte words,`, size, { demands, inQuick: size === MIB && width < 16 }, (m) => ({
    'ours': () => ours(m, swapHere(width), own.swapHereLoop(width)),
    ...(width === 16 ? { 'Buffer.swap64 + plain loop': () => peer(m, swapHere(width), peers.swap128Loop) } : {
      [`Buffer.swap${8 * width}`]: () => peer(m, swapHere(width), peers.bufferSwapLoops[width]),
      'bswap': () => peer(m, swapHere(width), peers.bswapLoop(width)),
    }),
  }));
}

// === Non-temporal ===

function streamCopyRow(size) {
  return row('copy, non-temporal,', size, { demands: [streamed], inQuick: size === LARGEST }, (m) => ({
    'ours': () => ours(m, copyTo, own.streamLoop),
    'Buffer.copy': () => peer(m, copyTo, peers.bufferCopyLoop),
    [c.MEMCPY]: () => c.memcpyInC(m, copyTo),
    [c.STREAM]: () => c.streamCopyInC(m, copyTo),
  }));
}

const wordSizes = SIZES.filter((size) => size >= 64);

export const rows = [
  ...[copyRow, fillRow, compareRow, patternRow, mismatchRow].flatMap((makeRow) => SIZES.map((size) => makeRow(size))),
  ...[2, 4, 8].flatMap((width) => wordSizes.map((size) => swapCopyRow(width, size))),
  ...[2, 4, 8, 16].flatMap((width) => wordSizes.map((size) => swapHereRow(width, size))),
  ...[STREAMED_MIN, LARGEST].map((size) => streamCopyRow(size)),
  fillRow(STREAMED_MIN),
];
