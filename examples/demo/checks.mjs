// @ts-check
// What a scene claims: each claim is compared, kept for the report, and printed as one row.
import { inspect, isDeepStrictEqual } from 'node:util';

/** @param {unknown} value */
const shown = (value) => inspect(value, { depth: 3, breakLength: Infinity, maxStringLength: 64, maxArrayLength: 8 });

export class Checks {
  #printer;
  /** @type {import('./types.js').Check[]} */
  all = [];

  /** @param {import('./printer.mjs').Printer} printer */
  constructor(printer) {
    this.#printer = printer;
  }

  get ok() {
    return this.all.every((check) => check.ok);
  }

  /**
   * @param {string} name
   * @param {unknown} actual
   * @param {unknown} expected
   * @param {import('./types.js').RowFacts} [facts] what the row shows beside it
   */
  equal(name, actual, expected, facts = {}) {
    const ok = isDeepStrictEqual(actual, expected);
    const check = ok ? { name, ok } : { name, ok, expected: shown(expected), actual: shown(actual) };
    this.all.push(check);
    if (!ok || !facts.quiet) this.#printer.row(check, facts);
  }

  /** @param {string} name @param {unknown} condition @param {import('./types.js').RowFacts} [facts] */
  that(name, condition, facts) {
    this.equal(name, condition, true, facts);
  }

  /**
   * The action must throw an error with this code; the row shows it.
   * @param {string} name
   * @param {string} code
   * @param {() => unknown} action
   */
  throws(name, code, action) {
    this.equal(name, codeOf(action), code, { result: code });
  }

  /**
   * As `throws`, for each of several values.
   * @template Value
   * @param {string} name
   * @param {string} code
   * @param {readonly Value[]} values
   * @param {(value: Value) => unknown} action
   */
  throwsFor(name, code, values, action) {
    this.equal(name, values.map((value) => codeOf(() => action(value))), values.map(() => code), { result: code });
  }
}

/** The `code` of what the action throws. @param {() => unknown} action */
export function codeOf(action) {
  try {
    action();
    return 'no error';
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : `an error without a code: ${error}`;
  }
}
