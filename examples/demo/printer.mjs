// @ts-check
// The human output: one row for each check, small tables, and text for sizes and speeds. At most 100 columns.

const WHAT = 58;
const BYTES = 9;

/** @param {number} bytes */
export function bytesText(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${units[unit]}`;
}

/** @param {number} rate gigabytes per second */
export const rateText = (rate) => rate.toFixed(rate < 10 ? 2 : 1);

/** @param {number} ns */
export function nsText(ns) {
  if (ns >= 100_000) return `${(ns / 1000).toFixed(0)} µs`;
  if (ns >= 10_000) return `${(ns / 1000).toFixed(1)} µs`;
  return ns < 10 ? `${ns.toFixed(1)} ns` : `${Math.round(ns).toLocaleString('en-US')} ns`;
}

/** @param {bigint} address */
export const addressText = (address) => `0x${address.toString(16)}`;

export class Printer {
  #stream;
  #colour;

  /** @param {Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'hasColors'>} stream coloured when it is a terminal that wants it (`NO_COLOR`, `TERM=dumb`) */
  constructor(stream) {
    this.#stream = stream;
    this.#colour = stream.isTTY === true && !process.env.NO_COLOR && stream.hasColors();
  }

  /** @param {string} text @param {'bold' | 'dim' | 'green' | 'red'} style */
  #paint(text, style) {
    const [on, off] = { bold: [1, 22], dim: [2, 22], green: [32, 39], red: [31, 39] }[style];
    return this.#colour ? `\u001B[${on}m${text}\u001B[${off}m` : text;
  }

  /** @param {string} [text] */
  line(text = '') {
    this.#stream.write(`${text}\n`);
  }

  /** @param {string} name @param {string} about */
  heading(name, about) {
    this.line(`\n${this.#paint(name, 'bold')}${about === '' ? '' : this.#paint(`  ${about}`, 'dim')}`);
  }

  /** @param {string} text */
  note(text) {
    this.line(this.#paint(`    ${text}`, 'dim'));
  }

  /** @param {boolean} ok */
  mark(ok) {
    return ok ? this.#paint('✓', 'green') : this.#paint('✗', 'red');
  }

  /**
   * @param {import('./types.js').Check} check
   * @param {import('./types.js').RowFacts} facts
   */
  row({ name, ok, expected, actual }, { bytes, ms, result }) {
    const size = (bytes === undefined ? '' : bytesText(bytes)).padStart(BYTES);
    const outcome = result ?? (ms === undefined || bytes === undefined ? '' : `${rateText(bytes / ms / 1e6)} GB/s`);
    this.line(`  ${this.mark(ok)} ${name.padEnd(WHAT)} ${size}  ${outcome}`.trimEnd());
    if (!ok) this.line(this.#paint(`      expected ${expected}, got ${actual}`, 'red'));
  }

  /**
   * The first column on the left, all others on the right.
   * @param {readonly string[]} head
   * @param {readonly (readonly string[])[]} rows
   */
  table(head, rows) {
    const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
    const text = (/** @type {readonly string[]} */ row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('   ').trimEnd();
    this.line(`\n    ${this.#paint(text(head), 'dim')}`);
    for (const row of rows) this.line(`    ${text(row)}`);
  }

  /** @param {readonly import('./types.js').SceneReport[]} scenes @param {{ ms: number, peak: number }} totals */
  summary(scenes, { ms, peak }) {
    this.heading('Summary', '');
    for (const { name, ok, checks, ms: took } of scenes) {
      const good = checks.filter((check) => check.ok).length;
      this.line(`  ${this.mark(ok)} ${name.padEnd(20)} ${`${good} of ${checks.length}`.padStart(9)} checks ${`${Math.round(took)} ms`.padStart(9)}`);
    }
    const failed = scenes.flatMap(({ checks }) => checks).filter((check) => !check.ok).length;
    const count = scenes.reduce((sum, { checks }) => sum + checks.length, 0);
    const verdict = failed === 0 ? this.#paint(`All ${count} checks passed`, 'green') : this.#paint(`${failed} of ${count} checks failed`, 'red');
    this.line(`\n${verdict} in ${(ms / 1000).toFixed(1)} s; the process held at most ${bytesText(peak)}.`);
  }
}
