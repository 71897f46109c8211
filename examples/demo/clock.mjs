// @ts-check
// How long one of many calls takes.
import { setImmediate as turn } from 'node:timers/promises';

export const MEASURED_MS = 50;

/** Loops for a stretch of time, with turns of the event loop between. @param {(count: number) => void} loop @param {number} stretch milliseconds */
async function repeat(loop, stretch) {
  let ms = 0;
  let done = 0;
  for (let count = 16; ms < stretch; ) {
    const started = performance.now();
    loop(count);
    const took = performance.now() - started;
    ms += took;
    done += count;
    if (took < stretch / 8 && count < 16_384) count *= 2;
    await turn(); // oxlint-disable-line no-await-in-loop -- what the loop left behind may be collected here
  }
  return { ms, done };
}

/** Nanoseconds of one call: the mean, garbage collection that falls into the loop included. @param {(count: number) => void} loop @param {number} warmUpMs */
export async function meanNs(loop, warmUpMs) {
  const warm = await repeat(loop, warmUpMs);
  const { ms, done } = await repeat(loop, MEASURED_MS);
  return { ns: (ms * 1e6) / done, calls: warm.done + done };
}
