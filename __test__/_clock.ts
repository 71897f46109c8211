// Tests that compare times.
import type { ExecutionContext } from 'ava';
import { freeEverything } from './_settled.js';

/** How far a time may be from the truth: 4 to 16 ms, and as long as the tick of a busy machine's coarse clock is late. */
export const CLOCK_MS = 250;
const TRIES = 5;

type Run = (t: ExecutionContext) => Promise<void> | void;

/** How the message of an assertion begins that fails where a clock is late. */
export const TIME = 'a time: ';

/** A test that begins anew, up to {@link TRIES} times in all, if nothing but times was wrong in it; whatever else fails is final. Births are read from a clock that
 * a thread keeps, and a busy machine may hold that up for longer than {@link CLOCK_MS}, but not each time; a clock that is wrong is wrong each time. */
export const inOneOfSomeTries = (run: Run): ((t: ExecutionContext) => Promise<void>) => async (t) => {
  for (let left = TRIES - 1; ; left -= 1) {
    const attempt = await t.try(run);
    const isLate = attempt.errors.length > 0 && attempt.errors.every(({ message }) => message.startsWith(TIME));
    if (attempt.passed || left === 0 || !isLate) {
      attempt.commit();
      return;
    }
    attempt.discard();
    await freeEverything();
  }
};
