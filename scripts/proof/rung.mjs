// What the rungs of the ladder share: where they run, how they are built, what a sanitizer reported, and the table.
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Stop, finish, inRoot, main, proofFlags, run, runCargo, seconds } from '../lib.mjs';

const TARGET = 'x86_64-unknown-linux-gnu';
const REPORT = /^.*(?:ERROR: (?:Address|Leak)Sanitizer|WARNING: ThreadSanitizer).*$/m;

/** A check that cannot run fails: elsewhere there is one sentence, and exit code 1. */
function demandLinux(command) {
  const { glibcVersionRuntime } = process.platform === 'linux' ? process.report.getReport().header : {};
  if (glibcVersionRuntime === undefined || process.arch !== 'x64') {
    throw new Stop(`npm run ${command} needs Linux on x64 with glibc, because it is set up for that alone.`);
  }
}

/** One sanitizer: its build in a folder of its own, its reports in files, for whoever dies may have told nobody. */
export class Sanitizer {
  #reports;

  /** @param {{ name: string, flags: string, options: Record<string, string>, suppressions?: string }} about */
  constructor({ name, flags, options, suppressions }) {
    this.name = name;
    this.flags = flags;
    this.#reports = inRoot('.cache', 'proof', name);
    const all = { ...options, log_path: join(this.#reports, 'report'), print_suppressions: '0', allow_addr2line: '1' };
    if (suppressions) all.suppressions = inRoot('scripts', 'proof', suppressions);
    const text = Object.entries(all).map(([key, value]) => `${key}=${value}`).join(':');
    /** What a watched process has in its environment. */
    this.env = { [`${name.toUpperCase()}_OPTIONS`]: text };
  }

  /** What cargo is told to compile with it: the target, so that build scripts and macros are not. */
  get buildArgs() {
    return ['--target', TARGET, '--target-dir', `target/${this.name}`];
  }

  /** Optimised a little: tests take a fraction of the time, and nothing is left out of the watch. With all names of functions, by which some are
   * suppressed, whatever the caller set. */
  get buildEnv() {
    return { ...proofFlags(this.flags), CARGO_PROFILE_DEV_OPT_LEVEL: '1', CARGO_PROFILE_DEV_DEBUG: '2' };
  }

  /** Where cargo puts what it builds. */
  output(profile, file) {
    return inRoot('target', this.name, TARGET, profile, file);
  }

  async build(...args) {
    const { code } = await runCargo(['build', ...args, ...this.buildArgs], { env: this.buildEnv });
    if (code !== 0) throw new Stop(`What ${this.name} watches could not be built: the compiler says above why.`);
  }

  /** Runs `work` and adds a failure for each process that reported something. */
  async watch(work) {
    rmSync(this.#reports, { recursive: true, force: true });
    mkdirSync(this.#reports, { recursive: true });
    const { passed, failed } = await work();
    const reports = this.#found();
    for (const text of reports) console.log(`FAILED ${REPORT.exec(text)[0]}\n${text}`);
    return { passed, failed: failed + reports.length };
  }

  #found() {
    const texts = readdirSync(this.#reports).map((name) => readFileSync(join(this.#reports, name), 'utf8'));
    return texts.filter((text) => REPORT.test(text));
  }

  /** The alarm is tested first: each of these runs must be reported as what it is, by the process that did it. */
  async canaries(what, command, runs, env = {}) {
    const started = performance.now();
    for (const { args, expected } of runs) {
      rmSync(this.#reports, { recursive: true, force: true });
      mkdirSync(this.#reports, { recursive: true });
      const { code, stderr } = await run(command, args, { output: 'capture', env: { ...this.env, ...env } });
      const reports = this.#found().filter((text) => expected.test(text));
      if (code === 0 || reports.length !== 1) {
        throw new Stop(`The alarm is broken: ${this.name} did not report the planted bug '${args.at(-1)}' (exit code ${code}), so it proves nothing. ${stderr.trim()}`);
      }
      console.log(`planted ${args.at(-1)}: reported`);
    }
    return { what, passed: runs.length, failed: 0, ms: performance.now() - started };
  }
}

/** Works at all of a list, two at a time, and adds up what `work` gives: `{ passed, failed }`. */
export async function inPairs(list, work) {
  const total = { passed: 0, failed: 0 };
  const left = [...list];
  const one = async () => {
    while (left.length > 0) {
      const { passed, failed } = await work(left.shift());
      total.passed += passed;
      total.failed += failed;
    }
  };
  await Promise.all([one(), one()]);
  return total;
}

/** A row of the table: what ran, and how it went. */
export async function timed(what, work) {
  const started = performance.now();
  const { passed, failed } = await work();
  return { what, passed, failed, ms: performance.now() - started };
}

/** Runs rungs one after the other. One that cannot run is a failure, with its reason, and the others run all the same. */
export async function climb(rungs) {
  const rows = [];
  for (const { name, run: rung } of rungs) {
    const started = performance.now();
    try {
      for (const row of await rung()) rows.push({ name, ...row });
    } catch (error) {
      if (!(error instanceof Stop)) throw error;
      console.log(`FAILED ${error.message}`);
      rows.push({ name, what: 'could not go on', passed: 0, failed: 1, ms: performance.now() - started });
    }
  }
  const wide = Math.max(...rows.map(({ what }) => what.length));
  console.log(`\n${'rung'.padEnd(6)}  ${'what ran'.padEnd(wide)}  passed  failed      time`);
  for (const { name, what, passed, failed, ms } of rows) {
    console.log(`${name.padEnd(6)}  ${what.padEnd(wide)}  ${String(passed).padStart(6)}  ${String(failed).padStart(6)}  ${seconds(ms).padStart(8)}`);
  }
  const sum = (key) => rows.reduce((total, row) => total + row[key], 0);
  return finish({ passed: sum('passed'), failed: sum('failed') });
}

/**
 * The body of `npm run proof:…`: `-- --quick` for a short form where there is one, `-- NAME…` where one may name what runs; with `takesMore`
 * the rung reads other arguments itself.
 */
export const rungMain = (command, rungs, { hasQuick = false, hasNames = false, takesMore = false } = {}) =>
  main(async (all) => {
    const quick = hasQuick && all.includes('--quick');
    const args = quick ? all.filter((arg) => arg !== '--quick') : all;
    const areNames = hasNames && args.every((arg) => !arg.startsWith('-'));
    if (args.length > 0 && !takesMore && !areNames) {
      throw new Stop(`Usage: npm run ${command}${hasQuick ? ' [-- --quick]' : ''}${hasNames ? ' [-- part-of-a-name…]' : ''}`);
    }
    demandLinux(command);
    return climb(rungs({ quick, args }));
  });
