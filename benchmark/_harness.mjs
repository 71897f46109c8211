// Times the cases of one row, in one process. benny (benchmark.js) collects the samples; what it times is an inner loop, because its
// own call costs more than many of our operations take. Nothing is timed before its result was checked.
import benny from 'benny';
import { WrongResult, checksPassed, expectSame, median, minimum } from './_checks.mjs';

/** Milliseconds that a sample must at least take: the clock's own cost and resolution vanish in it. */
const SAMPLE_MS_MIN = 0.2;
const SAMPLE_MS_AIM = 0.25;
/** How often benchmark.js calls a case in a round; see `round`. */
const CALLS_PER_ROUND = 3;

/** How many processes, and how much work goes into one; `workers` and groups that move much memory have a process less in a quick run.
 * `turns`: how often each is measured where no loop is timed. */
export const PLANS = {
  quick: { processes: 1, heavyProcesses: 1, rounds: 2, caseMs: 24, warmMs: 16, loads: 6, iterations: 100_000, workerWarmMs: 200, workerRounds: 24, turns: 2 },
  full: { processes: 3, heavyProcesses: 3, rounds: 8, caseMs: 150, warmMs: 40, loads: 20, iterations: 1_000_000, workerWarmMs: 600, workerRounds: 120, turns: 8 },
};

// === Timing ===

const nextTurn = () => new Promise((resolve) => { setImmediate(resolve); });

function elapsedMs(loop, n) {
  const started = process.hrtime.bigint();
  const result = loop(n);
  return { ms: Number(process.hrtime.bigint() - started) / 1e6, result };
}

/** The iterations that make a sample, a multiple of `step`, when `n` of them took `ms`. */
const enough = (n, ms, step) => Math.max(1, Math.ceil((SAMPLE_MS_AIM * n) / Math.max(ms, 1e-3) / step)) * step;

/** Warms a loop up, and finds a first count of iterations; it grows later when the compiler makes the loop faster still. */
function calibrate(loop, step, warmMs) {
  let n = step;
  let spent = 0;
  let least = Infinity;
  for (let runs = 0; runs < 3 || spent < warmMs; runs += 1) {
    const { ms } = elapsedMs(loop, n);
    spent += ms;
    least = Math.min(least, ms / n);
    if (ms < SAMPLE_MS_MIN) n = Math.max(enough(n, ms, step), 2 * n);
  }
  return { n: enough(1, least, step), ms: Math.max(SAMPLE_MS_AIM, least * step) };
}

/** Takes one sample. Its result is compared each time: that is the sink, and it finds what goes wrong only under load. */
function sample(running, step) {
  const { n } = running;
  const { ms, result } = elapsedMs(running.case.loop, n);
  if (result !== running.case.expected(n)) running.error ??= new WrongResult(`wrong result: a timed loop gave ${result}, not ${running.case.expected(n)}`);
  if (ms >= SAMPLE_MS_MIN) running.ns.push((ms * 1e6) / n);
  else running.n = enough(n, ms, step);
}

/** The garbage of one case is no part of the next. */
const collectGarbage = () => globalThis.gc?.();

/**
 * One benny suite: each case in turn. benchmark.js compiles a function for every sample of its own (6 ms, after which caches are cold),
 * so a call of a case takes several samples; it makes three such calls: to see what the case returns, to try it, and to time it.
 */
async function round(title, group, step) {
  const options = { minSamples: 1, maxTime: -1, minTime: 1e-6, initCount: 1, delay: 0, onStart: collectGarbage };
  const cases = group.map((running) => {
    const call = () => {
      const [cpu, wall] = [process.cpuUsage(), process.hrtime.bigint()];
      for (let index = 0; index < running.samples; index += 1) sample(running, step);
      const { user, system } = process.cpuUsage(cpu);
      running.cpuMs += (user + system) / 1e3;
      running.wallMs += Number(process.hrtime.bigint() - wall) / 1e6;
      return running.ns.length;
    };
    return benny.add(running.name, call, options);
  });
  await benny.suite(title, ...cases);
  await nextTurn(); // finalizers of external ArrayBuffers wait for it
}

/** Makes a case and checks it: what the case itself knows to ask, then what its loop gives. */
function prepare(name, make, step) {
  const made = make();
  try {
    made.check();
    expectSame(made.loop(step), made.expected(step), `what ${name} gave in ${step} iterations`);
  } catch (error) {
    made.dispose?.();
    throw error;
  }
  return made;
}

function cellOf(running) {
  if (running.error) return { note: running.error.message };
  if (running.ns.length === 0) return { note: 'was not timed' };
  return { min: minimum(running.ns), median: median(running.ns), cpu: running.cpuMs / running.wallMs, samples: running.ns.length, loop: running.n };
}

/**
 * Checks, then times, every case of a row: ours, peer, peer, ours, peer, peer, …
 * @returns cells by name: `{ min, median, samples, loop }` in ns per operation, `cpu` the share of all its time in which processors worked for it, or `{ note }` where there is no figure
 */
export async function timeRow(row, plan) {
  const { operation, cases, step = 1 } = row;
  const before = checksPassed();
  const cells = {};
  const group = [];
  try {
    for (const [name, make] of Object.entries(cases)) {
      try {
        group.push({ name, case: prepare(name, make, step), ns: [], cpuMs: 0, wallMs: 0, error: undefined });
      } catch (error) {
        cells[name] = { note: error.message };
      }
    }
    if (cells.ours === undefined) await timeGroup(operation, group, step, plan);
    for (const running of group) cells[running.name] = cellOf(running);
  } finally {
    for (const running of group) running.case.dispose?.();
    await nextTurn();
  }
  return { operation, cells, checks: checksPassed() - before };
}

async function timeGroup(title, group, step, { rounds, caseMs, warmMs }) {
  for (const running of group) {
    Object.assign(running, calibrate(running.case.loop, step, warmMs));
    running.samples = Math.max(1, Math.floor(caseMs / rounds / CALLS_PER_ROUND / running.ms));
  }
  for (let index = 0; index < rounds; index += 1) await round(title, group, step);
  for (const running of group) {
    try {
      running.case.after?.();
    } catch (error) {
      running.error ??= error;
    }
  }
}
