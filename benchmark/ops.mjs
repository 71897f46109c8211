// Copy, fill, compare, mismatch, byte swap on viewed blocks, next to what Buffer and packages do with theirs, and to loops in C over the
// same pages. GB/s count the bytes of one side.
import * as c from './_ops-c.mjs';
import { memoriesOf } from './_ops-memory.mjs';
import * as own from './_ops-ours.mjs';
import * as peers from './_ops-peers.mjs';
import { compareOf, copyTo, fillOf, mismatchOf, swapHere, swapTo } from './_ops-rules.mjs';
import { KIB, MIB, sizeText } from './_scenarios.mjs';

export const group = 'ops';
export const heavy = true;

const { ours } = own;
const { peer } = peers;

/** A row of one size; `cases(memories)` by name, each made when it is its turn. */
function row(name, size, casesOf) {
  const cases = casesOf(memoriesOf(size));
  const bounds = c.BOUNDS.filter((bound) => Object.hasOwn(cases, bound));
  return { operation: `${name} ${sizeText(size)}`, unit: size < KIB ? 'ns' : 'GB/s', bytes: size, target: null, bounds, cases };
}

/** Where streaming can pay: below, a fence costs more than the stores. */
const streaming = (size, makeCase) => (size < MIB ? {} : { [c.STREAM]: makeCase });

const copyRow = (size) => row('copy', size, (m) => ({
  'ours': () => ours(m, copyTo, own.copyLoop),
  'Buffer.copy': () => peer(m, copyTo, peers.bufferCopyLoop),
  'Buffer.copy, ranges': () => peer(m, copyTo, peers.bufferCopyRangesLoop),
  'TypedArray.set': () => peer(m, copyTo, peers.setLoop),
  [c.MEMCPY]: () => c.memcpyInC(m, copyTo),
  [c.MEMMOVE]: () => c.memmoveInC(m, copyTo),
  ...streaming(size, () => c.streamCopyInC(m, copyTo)),
}));

const fillRow = (size) => row('fill', size, (m) => ({
  'ours': () => ours(m, fillOf, own.fillLoop),
  'Buffer.fill': () => peer(m, fillOf, peers.bufferFillLoop),
  'Buffer.fill, ranges': () => peer(m, fillOf, peers.bufferFillRangesLoop),
  'TypedArray.fill': () => peer(m, fillOf, peers.typedFillLoop),
  [c.MEMSET]: () => c.memsetInC(m, fillOf),
  ...streaming(size, () => c.streamFillInC(m, fillOf)),
}));

const compareRow = (size) => row('compare', size, (m) => ({
  'ours': () => ours(m, compareOf(size), own.compareLoop),
  'Buffer.compare': () => peer(m, compareOf(size), peers.bufferCompareLoop),
  'Buffer.compare, ranges': () => peer(m, compareOf(size), peers.bufferCompareRangesLoop),
  [c.MEMCMP]: () => c.memcmpInC(m, compareOf(size)),
}));

const mismatchRow = (size) => row('mismatch', size, (m) => ({
  'ours': () => ours(m, mismatchOf(size), own.mismatchLoop),
  'Buffer.compare (order only)': () => peer(m, compareOf(size), peers.bufferCompareLoop),
  ...(size <= MIB && { 'plain loop': () => peer(m, mismatchOf(size), peers.plainMismatchLoop) }),
}));

const swapCopyRow = (size) => row('swap copy, 8-byte words,', size, (m) => ({
  'ours': () => ours(m, swapTo(8), own.swapLoop(8)),
  'copy + Buffer.swap64': () => peer(m, swapTo(8), peers.copySwapLoops[8]),
  'copy + bswap': () => peer(m, swapTo(8), peers.copyBswapLoop(8)),
}));

const swapHereRow = (size) => row('swap in place, 8-byte words,', size, (m) => ({
  'ours': () => ours(m, swapHere(8), own.swapHereLoop(8)),
  'Buffer.swap64': () => peer(m, swapHere(8), peers.bufferSwapLoops[8]),
  'bswap': () => peer(m, swapHere(8), peers.bswapLoop(8)),
}));

const streamCopyRow = (size) => row('copy, non-temporal,', size, (m) => ({
  'ours': () => ours(m, copyTo, own.streamLoop),
  'Buffer.copy': () => peer(m, copyTo, peers.bufferCopyLoop),
  [c.MEMCPY]: () => c.memcpyInC(m, copyTo),
  [c.STREAM]: () => c.streamCopyInC(m, copyTo),
}));

export const rows = [64, 4 * KIB, MIB, 64 * MIB].flatMap((size) => [
  copyRow(size),
  fillRow(size),
  compareRow(size),
  mismatchRow(size),
  swapCopyRow(size),
  swapHereRow(size),
  ...(size >= 64 * MIB ? [streamCopyRow(size)] : []),
]);
