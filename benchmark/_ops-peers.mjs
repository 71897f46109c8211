// The same operations as Buffer, typed arrays and packages have them. A literal loop for each: a shared one would be slower for all.
import { Buffer } from 'node:buffer';
import { builtPeer } from './_built-peers.mjs';
import { FILL, PATTERN, caseOf } from './_ops-rules.mjs';

export function peer(memories, rules, makeLoop) {
  const { a, b, dispose } = memories.buffers();
  try {
    return caseOf(rules, makeLoop(a, b), a, b, dispose);
  } catch (error) { // a package that is missing
    dispose();
    throw error;
  }
}

const over = (Type, bytes) => new Type(bytes.buffer, bytes.byteOffset, bytes.length / Type.BYTES_PER_ELEMENT);

// === Copy ===

export const bufferCopyLoop = (a, b) => (n) => {
  for (let i = 0; i < n; i += 1) a.copy(b);
  return n;
};

/** With ranges, as ours has them. */
export const bufferCopyRangesLoop = (a, b) => (n) => {
  const size = a.length;
  for (let i = 0; i < n; i += 1) a.copy(b, 0, 0, size);
  return n;
};

export function setLoop(a, b) {
  const [source, target] = [over(Uint8Array, a), over(Uint8Array, b)];
  return (n) => {
    for (let i = 0; i < n; i += 1) target.set(source);
    return n;
  };
}

// === Fill ===

export const bufferFillLoop = (a) => (n) => {
  for (let i = 0; i < n; i += 1) a.fill(FILL);
  return n;
};

export const bufferFillRangesLoop = (a) => (n) => {
  const size = a.length;
  for (let i = 0; i < n; i += 1) a.fill(FILL, 0, size);
  return n;
};

export function typedFillLoop(a) {
  const bytes = over(Uint8Array, a);
  return (n) => {
    for (let i = 0; i < n; i += 1) bytes.fill(FILL);
    return n;
  };
}

export const bufferPatternLoop = (a) => (n) => {
  const size = a.length;
  for (let i = 0; i < n; i += 1) a.fill(PATTERN, 0, size);
  return n;
};

export function typedPatternLoop(a) {
  const words = over(BigUint64Array, a);
  const [word] = over(BigUint64Array, PATTERN);
  return (n) => {
    for (let i = 0; i < n; i += 1) words.fill(word);
    return n;
  };
}

// === Compare ===

export const bufferCompareLoop = (a, b) => (n) => {
  let sum = 0;
  for (let i = 0; i < n; i += 1) sum += Buffer.compare(a, b);
  return sum;
};

export const bufferCompareRangesLoop = (a, b) => (n) => {
  const size = a.length;
  let sum = 0;
  for (let i = 0; i < n; i += 1) sum += a.compare(b, 0, size, 0, size);
  return sum;
};

function firstDifference(a, b) {
  for (let i = 0; i < a.length; i += 1) {
    if (a[i] !== b[i]) return i;
  }
  return -1;
}

export const plainMismatchLoop = (a, b) => (n) => {
  let sum = 0;
  for (let i = 0; i < n; i += 1) sum += firstDifference(a, b);
  return sum;
};

// === Swap ===

/** By width: literals, so that no two share what V8 has learned. */
export const bufferSwapLoops = {
  2: (a) => (n) => {
    for (let i = 0; i < n; i += 1) a.swap16();
    return n;
  },
  4: (a) => (n) => {
    for (let i = 0; i < n; i += 1) a.swap32();
    return n;
  },
  8: (a) => (n) => {
    for (let i = 0; i < n; i += 1) a.swap64();
    return n;
  },
};

/** Node has no swap of 16 bytes: the halves of each word are swapped, then exchanged. */
export function swap128Loop(a) {
  const quarters = over(Uint32Array, a);
  return (n) => {
    for (let i = 0; i < n; i += 1) {
      a.swap64();
      exchangeHalves(quarters);
    }
    return n;
  };
}

function exchangeHalves(quarters) {
  for (let at = 0; at < quarters.length; at += 4) {
    const [low, high] = [quarters[at], quarters[at + 1]];
    quarters[at] = quarters[at + 2];
    quarters[at + 1] = quarters[at + 3];
    quarters[at + 2] = low;
    quarters[at + 3] = high;
  }
}

export const copySwapLoops = {
  2: (a, b) => (n) => {
    for (let i = 0; i < n; i += 1) {
      a.copy(b);
      b.swap16();
    }
    return n;
  },
  4: (a, b) => (n) => {
    for (let i = 0; i < n; i += 1) {
      a.copy(b);
      b.swap32();
    }
    return n;
  },
  8: (a, b) => (n) => {
    for (let i = 0; i < n; i += 1) {
      a.copy(b);
      b.swap64();
    }
    return n;
  },
};

const WORDS = { 2: Uint16Array, 4: Uint32Array, 8: Float64Array };

/** bswap's compiled function, on the array type whose elements it takes for words of that width. */
export const bswapLoop = (width) => (a) => {
  const { native } = builtPeer('bswap');
  if (native === undefined) throw new Error('bswap did not load its compiled part');
  const words = over(WORDS[width], a);
  return (n) => {
    for (let i = 0; i < n; i += 1) native(words);
    return n;
  };
};

/** The same after a copy. */
export const copyBswapLoop = (width) => (a, b) => {
  const { native } = builtPeer('bswap');
  if (native === undefined) throw new Error('bswap did not load its compiled part');
  const words = over(WORDS[width], b);
  return (n) => {
    for (let i = 0; i < n; i += 1) {
      a.copy(b);
      native(words);
    }
    return n;
  };
};
