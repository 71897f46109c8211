// Our operations, on two blocks whose bytes are seen through views, by other means than ours. A literal loop for each.
import { CopyMode, DirectMemoryManager } from 'offheap';
import { FILL, PATTERN, caseOf } from './_ops-rules.mjs';

/** A case of ours: checked before it is timed, and once more afterwards. */
export function ours(memories, rules, makeLoop) {
  const { a, b, bytes, dispose } = memories.blocks();
  const made = caseOf(rules, makeLoop(a, b, memories.size), bytes[0], bytes[1], dispose);
  return { ...made, after: made.check };
}

export const copyLoop = (a, b, size) => (n) => {
  for (let i = 0; i < n; i += 1) DirectMemoryManager.copyMemory(a, 0, b, 0, size);
  return n;
};

export const streamLoop = (a, b, size) => (n) => {
  for (let i = 0; i < n; i += 1) DirectMemoryManager.copyMemory(a, 0, b, 0, size, CopyMode.NON_TEMPORAL);
  return n;
};

export const swapLoop = (width) => (a, b, size) => (n) => {
  for (let i = 0; i < n; i += 1) DirectMemoryManager.copyMemory(a, 0, b, 0, size, CopyMode.SWAP_ENDIAN, width);
  return n;
};

export const swapHereLoop = (width) => (a, _, size) => (n) => {
  for (let i = 0; i < n; i += 1) DirectMemoryManager.copyMemory(a, 0, a, 0, size, CopyMode.SWAP_ENDIAN, width);
  return n;
};

export const fillLoop = (a, _, size) => (n) => {
  for (let i = 0; i < n; i += 1) DirectMemoryManager.setMemory(a, 0, size, FILL);
  return n;
};

export const patternLoop = (a, _, size) => (n) => {
  for (let i = 0; i < n; i += 1) DirectMemoryManager.setMemory(a, 0, size, PATTERN);
  return n;
};

export const compareLoop = (a, b, size) => (n) => {
  let sum = 0;
  for (let i = 0; i < n; i += 1) sum += DirectMemoryManager.compareMemory(a, 0, b, 0, size);
  return sum;
};

export const mismatchLoop = (a, b, size) => (n) => {
  let sum = 0;
  for (let i = 0; i < n; i += 1) sum += DirectMemoryManager.mismatch(a, 0, b, 0, size);
  return sum;
};
