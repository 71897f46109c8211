// Copy, fill, compare, mismatch, byte swap on viewed blocks, next to what Buffer and typed arrays do on their own memory.
// GB/s count the bytes of one side. No targets yet: the rows show where we lose.
import { CopyMode, DirectMemoryManager } from 'offheap';
import * as peers from './_ops-peers.mjs';
import { FILL, caseOf, compareOf, copyTo, fillOf, mismatchOf, swapHere, swapTo } from './_ops-rules.mjs';
import { KIB, MIB, sizeText } from './_scenarios.mjs';

export const group = 'ops';
export const heavy = true;

export const rows = [64, 4 * KIB, MIB, 64 * MIB].flatMap((size) => {
  const row = (name, cases) => ({ operation: `${name} ${sizeText(size)}`, unit: size < KIB ? 'ns' : 'GB/s', bytes: size, target: null, cases });
  const list = [
    row('copy', {
      'ours': () => ours(size, copyTo, (a, b) => copyLoop(a, b, size)),
      'Buffer.copy': () => peers.peer(size, copyTo, peers.bufferCopyLoop),
      'TypedArray.set': () => peers.peer(size, copyTo, peers.setLoop),
    }),
    row('fill', {
      'ours': () => ours(size, fillOf, (a) => fillLoop(a, size)),
      'Buffer.fill': () => peers.peer(size, fillOf, peers.bufferFillLoop),
      'TypedArray.fill': () => peers.peer(size, fillOf, peers.typedFillLoop),
    }),
    row('compare', {
      'ours': () => ours(size, compareOf(size), (a, b) => compareLoop(a, b, size)),
      'Buffer.compare': () => peers.peer(size, compareOf(size), peers.bufferCompareLoop),
    }),
    row('mismatch', {
      'ours': () => ours(size, mismatchOf(size), (a, b) => mismatchLoop(a, b, size)),
      'Buffer.compare (order only)': () => peers.peer(size, compareOf(size), peers.bufferCompareLoop),
      ...(size <= MIB && { 'plain loop': () => peers.peer(size, mismatchOf(size), peers.plainMismatchLoop) }),
    }),
    row('swap copy, 8-byte words,', {
      'ours': () => ours(size, swapTo, (a, b) => swapLoop(a, b, size)),
      'set + swap64': () => peers.peer(size, swapTo, peers.setSwapLoop),
    }),
    row('swap in place, 8-byte words,', {
      'ours': () => ours(size, swapHere, (a) => swapLoop(a, a, size)),
      'Buffer.swap64': () => peers.peer(size, swapHere, peers.swap64Loop),
      'bswap': () => peers.peer(size, swapHere, peers.bswapLoop),
    }),
  ];
  if (size >= 64 * MIB) {
    list.push(row('copy, non-temporal,', {
      'ours': () => ours(size, copyTo, (a, b) => streamLoop(a, b, size)),
      'Buffer.copy': () => peers.peer(size, copyTo, peers.bufferCopyLoop),
      'TypedArray.set': () => peers.peer(size, copyTo, peers.setLoop),
    }));
  }
  return list;
});

/** Two blocks; their bytes are seen through views, by other means than ours. */
function ours(size, rules, makeLoop) {
  const a = DirectMemoryManager.allocateMemory(size, 'page');
  const b = DirectMemoryManager.allocateMemory(size, 'page');
  const dispose = () => [a, b].forEach((block) => block.free());
  return caseOf(rules, makeLoop(a, b), a.bytes(), b.bytes(), dispose);
}

function copyLoop(a, b, size) {
  return (n) => {
    for (let i = 0; i < n; i += 1) DirectMemoryManager.copyMemory(a, 0, b, 0, size);
    return n;
  };
}

function streamLoop(a, b, size) {
  return (n) => {
    for (let i = 0; i < n; i += 1) DirectMemoryManager.copyMemory(a, 0, b, 0, size, CopyMode.NON_TEMPORAL);
    return n;
  };
}

function swapLoop(a, b, size) {
  return (n) => {
    for (let i = 0; i < n; i += 1) DirectMemoryManager.copyMemory(a, 0, b, 0, size, CopyMode.SWAP_ENDIAN, 8);
    return n;
  };
}

function fillLoop(a, size) {
  return (n) => {
    for (let i = 0; i < n; i += 1) DirectMemoryManager.setMemory(a, 0, size, FILL);
    return n;
  };
}

function compareLoop(a, b, size) {
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += DirectMemoryManager.compareMemory(a, 0, b, 0, size);
    return sum;
  };
}

function mismatchLoop(a, b, size) {
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += DirectMemoryManager.mismatch(a, 0, b, 0, size);
    return sum;
  };
}
