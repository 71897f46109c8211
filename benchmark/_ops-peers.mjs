// The same operations as Buffer and typed arrays have them. A literal loop for each: a shared one would be slower for all.
import { Buffer } from 'node:buffer';
import { builtPeer } from './_built-peers.mjs';
import { FILL, caseOf } from './_ops-rules.mjs';

export function peer(size, rules, makeLoop) {
  const a = Buffer.allocUnsafeSlow(size);
  const b = Buffer.allocUnsafeSlow(size);
  return caseOf(rules, makeLoop(a, b), a, b);
}

const plain = (bytes) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function bufferCopyLoop(a, b) {
  return (n) => {
    for (let i = 0; i < n; i += 1) a.copy(b);
    return n;
  };
}

export function setLoop(a, b) {
  const [source, target] = [plain(a), plain(b)];
  return (n) => {
    for (let i = 0; i < n; i += 1) target.set(source);
    return n;
  };
}

export function bufferFillLoop(a) {
  return (n) => {
    for (let i = 0; i < n; i += 1) a.fill(FILL);
    return n;
  };
}

export function typedFillLoop(a) {
  const bytes = plain(a);
  return (n) => {
    for (let i = 0; i < n; i += 1) bytes.fill(FILL);
    return n;
  };
}

export function bufferCompareLoop(a, b) {
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += Buffer.compare(a, b);
    return sum;
  };
}

function firstDifference(a, b) {
  for (let i = 0; i < a.length; i += 1) {
    if (a[i] !== b[i]) return i;
  }
  return -1;
}

export function plainMismatchLoop(a, b) {
  return (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) sum += firstDifference(a, b);
    return sum;
  };
}

export function swap64Loop(a) {
  return (n) => {
    for (let i = 0; i < n; i += 1) a.swap64();
    return n;
  };
}

export function setSwapLoop(a, b) {
  return (n) => {
    for (let i = 0; i < n; i += 1) {
      b.set(a);
      b.swap64();
    }
    return n;
  };
}

/** bswap's compiled function, on the array type whose elements it takes for words of 8 bytes. */
export function bswapLoop(a) {
  const { native } = builtPeer('bswap');
  const words = new Float64Array(a.buffer, a.byteOffset, a.length / 8);
  return (n) => {
    for (let i = 0; i < n; i += 1) native(words);
    return n;
  };
}
