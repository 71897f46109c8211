// What every program here shares: run a misuse, expect its error, print what was seen as one line of JSON. Allocates nothing.
import { writeSync } from 'node:fs';
import { OffHeapError } from '../../dist/index.js';

const ARGUMENT_ERRORS = { ERR_INVALID_ARG_TYPE: TypeError, ERR_INVALID_ARG_VALUE: TypeError, ERR_OUT_OF_RANGE: RangeError };
/** The first messages; a program may see thousands. */
const MESSAGES_MAX = 60;
const report = { codes: [], classes: [], messages: [], refused: 0 };

/** Ends the program with an exit code that no header expects. */
export function fail(message) {
  writeSync(2, `${message}\n`);
  process.exit(70);
}

export function check(condition, message) {
  if (!condition) fail(`not so: ${message}`);
}

export function same(actual, expected, message) {
  if (!Object.is(actual, expected)) fail(`${message}: ${String(actual)} instead of ${String(expected)}`);
}

/** The error must be of exactly the documented class, with this code, and say something. */
function judge(code, act, outcome) {
  if (!('error' in outcome)) fail(`expected ${code}, nothing was thrown by ${act.name} ${act}`);
  const { error } = outcome;
  const wanted = ARGUMENT_ERRORS[code] ?? OffHeapError;
  const isRight = typeof error === 'object' && error !== null && error.code === code && Object.getPrototypeOf(error) === wanted.prototype;
  if (!isRight) fail(`expected ${wanted.name} ${code} of ${act.name} ${act}, got ${error?.stack ?? String(error)}`);
  if (error.message.length < 20 || !String(error.stack).includes(code)) fail(`a bare message: ${error.stack}`);
  if (!report.codes.includes(code)) report.codes.push(code);
  if (!report.classes.includes(wanted.name)) report.classes.push(wanted.name);
  if (report.messages.length < MESSAGES_MAX && !report.messages.includes(error.message)) report.messages.push(error.message);
  report.refused += 1;
  return error;
}

/** Each act must throw the documented error. Returns the last one. */
export function refuses(code, ...acts) {
  let last;
  for (const act of acts) {
    const outcome = {};
    try {
      act();
    } catch (error) {
      outcome.error = error;
    }
    last = judge(code, act, outcome);
  }
  return last;
}

/** As {@link refuses}, of something that gives a promise. */
export async function rejects(code, act) {
  const outcome = {};
  try {
    await act();
  } catch (error) {
    outcome.error = error;
  }
  return judge(code, act, outcome);
}

/** Prints the line that the spec reads: what was refused, and `facts`. */
export function print(facts = {}) {
  writeSync(1, `${JSON.stringify({ ...report, ...facts })}\n`);
}

export const NODE = Number(process.versions.node.split('.')[0]);
