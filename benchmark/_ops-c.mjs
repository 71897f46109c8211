// The loops of _cloops.c as cases: no peer of a JavaScript program, for they cross into C once for thousands of operations, but what the
// machine gives.
import { compiled } from './_compiled.mjs';
import { FILL, caseOf } from './_ops-rules.mjs';

/** Names of the cells, as targets name them. */
export const MEMCPY = 'memcpy in C';
export const MEMMOVE = 'memmove in C';
export const MEMSET = 'memset in C';
export const MEMCMP = 'memcmp in C';
export const STREAM = 'streaming stores in C';

/** What bounds a row, and is no peer. */
export const BOUNDS = [MEMCPY, MEMMOVE, MEMSET, MEMCMP, STREAM];

const library = compiled('cloops');

function named(name) {
  if (library === undefined) throw new Error('the loops in C are not compiled: cc is missing or refused them');
  if (library[name] === undefined) throw new Error('the loops in C know no streaming stores of this processor');
  return library[name];
}

/** A case over the same pages that ours has. */
function inC(memories, rules, name, makeLoop) {
  const call = named(name);
  const { a, b, dispose } = memories.pages();
  return caseOf(rules, makeLoop(call, a, b), a, b, dispose);
}

const copying = (copy, a, b) => (n) => copy(n, b, a);
const filling = (fill, a) => (n) => fill(n, a, FILL);
const comparing = (compare, a, b) => (n) => compare(n, a, b);

export const memcpyInC = (memories, rules) => inC(memories, rules, 'memcpy', copying);
export const memmoveInC = (memories, rules) => inC(memories, rules, 'memmove', copying);
export const streamCopyInC = (memories, rules) => inC(memories, rules, 'streamCopy', copying);
export const memsetInC = (memories, rules) => inC(memories, rules, 'memset', filling);
export const streamFillInC = (memories, rules) => inC(memories, rules, 'streamFill', filling);
export const memcmpInC = (memories, rules) => inC(memories, rules, 'memcmp', comparing);
