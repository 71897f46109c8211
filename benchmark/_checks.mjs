// What every group shares: checks of results, and statistics. It loads nothing, for workers and processes of one task read it too.

// === Checks ===

let passed = 0;
export const checksPassed = () => passed;

/** A result that is not what it must be. */
export class WrongResult extends Error {}

export function expect(condition, what) {
  if (!condition) throw new WrongResult(`wrong result: ${what}`);
  passed += 1;
}

export const expectSame = (found, wanted, what) => expect(Object.is(found, wanted), `${what} is ${found}, not ${wanted}`);

/** The byte that number `index` writes. */
export const stamp = (index) => 1 + (index % 251);

/** Writes each one's number, counted from `first`, over all of its bytes. */
export const writeStamps = (all, first = 0) => all.forEach((bytes, index) => bytes.fill(stamp(first + index)));

/** Reads all of them back: nobody has a byte of another. */
export function expectStamped(all, first = 0) {
  all.forEach((bytes, index) =>
    expect(bytes.every((byte) => byte === stamp(first + index)), `the stamp of number ${first + index} is whole`));
}

export function expectStamps(all) {
  writeStamps(all);
  expectStamped(all);
}

/** Ready-made: what a loop returns that adds the same number in each iteration. */
export const times = (number) => (n) => n * number;

/** What a loop returns that adds `model(i)`; `n` is a multiple of `step`, after which the model repeats. */
export function summed(step, model) {
  let sum = 0;
  for (let i = 0; i < step; i += 1) sum += model(i);
  return (n) => (n / step) * sum;
}

// === Statistics ===

export const minimum = (values) => values.reduce((least, value) => Math.min(least, value), Infinity);
export const maximum = (values) => values.reduce((most, value) => Math.max(most, value), -Infinity);

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Least of the processes' minima, median of their medians, and how far apart the minima are. A note of any process wins. */
export function mergeCells(cells) {
  const noted = cells.find(({ note }) => note !== undefined);
  if (noted) return { note: noted.note };
  const minima = cells.map(({ min }) => min);
  const cpus = cells.map(({ cpu }) => cpu).filter((cpu) => cpu !== undefined);
  return {
    value: minimum(minima),
    median: median(cells.map((cell) => cell.median)),
    spread: [minimum(minima), maximum(minima)],
    ...(cpus.length > 0 && { cpu: median(cpus) }),
  };
}
