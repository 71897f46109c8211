/**
 * Clock: births and frees are noted by the native side's monotonic coarse clock (5 ns where `Date.now()` costs 25 to 60); this turns
 * them into `Date.now()` milliseconds, right to the coarse clock's tick (4 ms on most Linux systems).
 * Room: handles (5). May use: native.
 */
import { binding } from '../native.js';

const { now } = Date;
/** The wall clock was set, or drifted, when the two clocks come to differ by more than this. Above the 16 ms of the coarsest system. */
const DRIFT_MS = 20;

let offsetMs: number | undefined;

/** A time of the native clock as `Date.now()` would have told it. The same for the same time, as long as nobody sets the clock. */
export function wallClock(nativeMs: number): number {
  for (let tries = 0; tries < 8; tries += 1) {
    const before = now();
    const offset = before - binding.preciseNowMs();
    // A sample during which the process was stopped is no good; after eight the last one must do.
    if (now() - before <= 2 || (tries === 7 && offsetMs === undefined)) {
      if (offsetMs === undefined || offset - offsetMs > DRIFT_MS || offsetMs - offset > DRIFT_MS) offsetMs = offset;
      break;
    }
  }
  return nativeMs + (offsetMs ?? now() - binding.preciseNowMs());
}
