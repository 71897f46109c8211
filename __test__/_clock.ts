// Tests that compare times.
import type { ExecutionContext } from 'ava';
import { freeEverything } from './_settled.js';

/** How far a time may be from the truth: 4 to 16 ms, and as long as the tick of a busy machine's coarse clock is late. */
export const CLOCK_MS = 250;
const TRIES = 5;

type Run = (t: ExecutionContext) => Promise<void> | void;

/** A test that has to hold once in {@link TRIES}. Births are read from a clock that a thread keeps, and a busy machine may hold that up for longer than
 * {@link CLOCK_MS}, but not each time; a clock that is wrong is wrong each time. */
export const inOneOfSomeTries = (run: Run): ((t: ExecutionContext) => Promise<void>) => async (t) => {
  for (let left = TRIES - 1; ; left -= 1) {
    const attempt = await t.try(run);
    if (attempt.passed || left === 0) {
      attempt.commit();
      return;
    }
    attempt.discard();
    await freeEverything();
  }
};
