// Calls where the stack ends: each act is called so deep that it overflows, then less and less deep, a word at a time, until it never does.
import { check } from './_refuses.mjs';

/** The stack pointer moves by this many words from a depth to the next at most, so that no place in an act is jumped over. */
const WORDS = 12;
/** An act that went well at so many depths in a row has room. */
const WELL = 6;
const fillings = Array.from({ length: WORDS }, (_, words) => Array.from({ length: words }));
const padded = (act, filling) => Reflect.apply(act, undefined, filling);
const go = (depth, act, filling) => (depth === 0 ? padded(act, filling) : go(depth - 1, act, filling));

function fits(depth) {
  try {
    go(depth, () => 0, []);
    return true;
  } catch {
    return false;
  }
}

/** V8 makes the frames of `go` smaller when it compiles it: now, rather than in the middle. */
for (let call = 0; call < 30_000; call += 1) go(20, () => 0, fillings[call % WORDS]);

/** A little too deep for `go`. */
function tooDeep() {
  let depth = 20;
  while (fits(depth)) depth += 20;
  return Math.ceil(depth * 1.05);
}

/** Two such calls leave a tenth of the stack, so that its end is not far. */
const most = Array.from({ length: 55_000 });
const nearTheEnd = (act) => Reflect.apply(() => Reflect.apply(act, undefined, most), undefined, most);

/** Calls `act` there. Gives what it returned where the stack did not end inside it. */
export const atTheEndOfTheStack = (act) => nearTheEnd(() => callDeeper(act));

function callDeeper(act) {
  const returned = [];
  let thrown = 0;
  let wentWell = 0;
  for (let depth = tooDeep(); wentWell < WELL && depth > 0; depth -= 1) {
    wentWell += 1;
    for (const filling of fillings) {
      try {
        returned.push(go(depth, act, filling));
      } catch (error) {
        check(error instanceof RangeError && error.code === undefined, `${error.stack} of ${act}`);
        thrown += 1;
        wentWell = 0;
      }
    }
  }
  check(thrown > WORDS && wentWell === WELL, `the stack ended ${thrown} times inside ${act}`);
  return returned;
}
