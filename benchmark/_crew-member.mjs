// A worker of a crew. It does what it is told, one task after another: makes a case, checks it, works for some milliseconds.
import { parentPort, workerData } from 'node:worker_threads';
import { checksPassed, expectSame, expectStamped, writeStamps } from './_checks.mjs';

/** Nanoseconds that a call of a loop must at least take: reading the clock after each of them is then no part of it. */
const CALL_NS_MIN = 50_000;
/** The numbers of two workers' stamps differ at every place. */
const STAMPS_APART = 100;

const { job: { module, cases, make, args, step }, number, gate } = workerData;
const firstStamp = number * STAMPS_APART;
const seats = {};

/** Waits, without sleeping, until as many have come here as ever must have: who sleeps starts late. */
function meet(arrivals) {
  Atomics.add(gate, 0, 1);
  while (Atomics.load(gate, 0) < arrivals);
}

/** A place that calls two functions. With one alone the compiler of short-lived code would make the loop a part of `work`, which takes four
 * times as long as the loop that the best compiler makes by itself. */
const call = (loop, n) => loop(n);
const nothing = () => 0;

/** Calls the loop for so long, and says how far it came in what time. */
function work(seat, ms) {
  const { loop, expected } = seat.case;
  call(nothing, 0);
  const started = process.hrtime.bigint();
  const end = started + BigInt(ms * 1e6);
  let pairs = 0;
  let now = started;
  do {
    const { n } = seat;
    const before = now;
    const result = call(loop, n);
    now = process.hrtime.bigint();
    if (result !== expected(n)) expectSame(result, expected(n), 'what a timed loop gave');
    pairs += n;
    if (now - before < CALL_NS_MIN) seat.n = 2 * n;
  } while (now < end);
  return pairs / Number(now - started);
}

const tasks = {
  /** A peer's case checks itself. */
  async open({ seat, name }) {
    const made = (await import(module))[cases][make](...args, name);
    seats[seat] = { case: made, n: step };
    made.check?.();
    expectSame(made.loop(step), made.expected(step), `what ${step} iterations gave`);
  },
  begin: ({ seat, isFirst }) => seats[seat].case.begin?.(isFirst),
  stamp({ seat }) {
    seats[seat].stamped = seats[seat].case.kept?.() ?? [];
    writeStamps(seats[seat].stamped, firstStamp);
  },
  read: ({ seat }) => expectStamped(seats[seat].stamped, firstStamp),
  figures: ({ seat }) => ({ own: seats[seat].case.own, said: seats[seat].case.figures?.() }),
  work({ seat, ms, arrivals }) {
    meet(arrivals);
    return work(seats[seat], ms);
  },
  give({ seat }) {
    const { give, own } = seats[seat].case;
    if (give === undefined) return;
    give();
    own.live = 0;
  },
  dispose: ({ seat }) => seats[seat].case.dispose?.(),
};

parentPort.on('message', async ({ task, ...about }) => {
  const before = checksPassed();
  try {
    const value = await tasks[task](about);
    parentPort.postMessage({ value, checks: checksPassed() - before }, []);
  } catch ({ message }) {
    parentPort.postMessage({ error: message }, []);
  }
});
