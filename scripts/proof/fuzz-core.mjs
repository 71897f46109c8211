// libFuzzer on the models of the core's tests: one target after the other, each a process of crates/offheap-fuzz.
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Stop, heading, inRoot, root, run, seconds } from '../lib.mjs';
import { Sanitizer, inPairs, timed } from './rung.mjs';

export const TARGETS = ['buddy', 'slab', 'arena', 'ring', 'object-pool', 'hybrid', 'manager', 'lending', 'loans', 'loans-arena', 'loans-ring', 'api'];
/** Regions, tables and managers live for ever by design, so a process goes on for so many inputs, and the next one from there. */
const RUNS_PER_PROCESS = 2000;
/** Bytes of an input, and how many the repository keeps of a target: the longest, for each of those covers much. */
const INPUT_BYTES_MAX = 384;
const INPUTS_MAX = 120;

const coverage = ['level=4', 'inline-8bit-counters', 'pc-table', 'trace-compares'].map((part) => `-Cllvm-args=-sanitizer-coverage-${part}`);
const fuzz = new Sanitizer({
  name: 'fuzz',
  flags: `--cfg fuzzing -Cpasses=sancov-module ${coverage.join(' ')} -Zsanitizer=address -Cdebug-assertions=on -Coverflow-checks=on`,
  options: {},
});
const program = fuzz.output('release', 'offheap-fuzz');
const asan = { ASAN_OPTIONS: 'detect_leaks=0:allocator_may_return_null=1' };

const work = (...parts) => inRoot('.cache', 'proof', 'fuzz', ...parts);
const corpusFile = (target) => inRoot('crates', 'offheap-core', 'tests', 'corpus', `${target}.txt`);

/** The kept inputs as files, as libFuzzer wants them; what it finds goes into the first folder and stays there for the next run. */
function folders(target) {
  const [found, kept] = [work(target, 'found'), work(target, 'kept')];
  rmSync(kept, { recursive: true, force: true });
  for (const folder of [found, kept]) mkdirSync(folder, { recursive: true });
  const lines = readFileSync(corpusFile(target), 'utf8').split('\n').filter(Boolean);
  for (const [index, line] of lines.entries()) writeFileSync(join(kept, String(index)), Buffer.from(line, 'hex'));
  return [found, kept];
}

/** One process, for one target. What it says of itself is at the end of what it prints. */
async function libfuzzer(target, args, limitMs) {
  const { code, stderr } = await run(program, args, { output: 'capture', env: { ...asan, OFFHEAP_FUZZ: target }, limitMs });
  const [, features = '0'] = [...stderr.matchAll(/ ft: (\d+)/g)].at(-1) ?? [];
  const [, runs = '0'] = /^stat::number_of_executed_units:\s*(\d+)/m.exec(stderr) ?? [];
  return { code, stderr, runs: Number(runs), features: Number(features) };
}

const common = (target) => [
  `-max_len=${INPUT_BYTES_MAX}`, '-len_control=0', '-timeout=20', '-rss_limit_mb=6000', '-print_final_stats=1', '-verbosity=1', `-artifact_prefix=${work('crashes', `${target}-`)}`,
];

/** The end of what a crash said: the panic, and where its input is. */
function tellCrash(target, stderr) {
  const panic = /^thread .* panicked at [^\n]*\n[^\n]*/m.exec(stderr)?.[0] ?? stderr.slice(-2000);
  const [, path] = /Test unit written to (\S+)/.exec(stderr) ?? [];
  console.log(`FAILED ${target}: ${panic}`);
  if (path !== undefined) console.log(`  again: cargo run -p offheap-fuzz -- ${target} ${relative(root, path)}`);
}

/** Fuzzes one target for its seconds: process after process, each from what the ones before it found. */
async function fuzzTarget(target, limit) {
  const started = performance.now();
  const left = () => Math.ceil(limit - (performance.now() - started) / 1000);
  const total = { runs: 0, features: 0 };
  const places = folders(target);
  while (left() > 0) {
    const { code, stderr, runs, features } = await libfuzzer(target, [`-max_total_time=${left()}`, `-runs=${RUNS_PER_PROCESS}`, ...common(target), ...places]);
    total.runs += runs;
    total.features = Math.max(total.features, features);
    if (code !== 0) {
      tellCrash(target, stderr);
      return { passed: 0, failed: 1 };
    }
  }
  const ms = performance.now() - started;
  console.log(`ok     ${target.padEnd(12)} ${String(total.runs).padStart(8)} runs  ${String(Math.round((total.runs * 1000) / ms)).padStart(6)} a second  ${String(total.features).padStart(6)} features`);
  return total.runs > 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

/** The alarm is tested first: the planted bug must be found from nothing. */
async function canary() {
  const { code, stderr } = await libfuzzer('canary', ['-max_total_time=60', '-seed=1', ...common('canary')]);
  if (code === 0 || !/panicked/.test(stderr)) throw new Stop(`The alarm is broken: the fuzzer did not find the planted bug (exit code ${code}), so it proves nothing.`);
  console.log('planted double owner: found');
  return { passed: 1, failed: 0 };
}

/** What was found and what was kept, without what adds nothing, becomes what is kept. */
async function keep(target) {
  const merged = work(target, 'merged');
  rmSync(merged, { recursive: true, force: true });
  mkdirSync(merged, { recursive: true });
  const { code, stderr } = await libfuzzer(target, ['-set_cover_merge=1', ...common(target), merged, ...folders(target)]);
  if (code !== 0) throw new Stop(`The inputs of ${target} could not be merged: ${stderr.slice(-500)}`);
  const inputs = readdirSync(merged).map((name) => readFileSync(join(merged, name), 'hex')).filter(Boolean);
  inputs.sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  writeFileSync(corpusFile(target), `${inputs.slice(0, INPUTS_MAX).join('\n')}\n`);
  rmSync(work(target, 'found'), { recursive: true });
  renameSync(merged, work(target, 'found'));
  console.log(`kept   ${target.padEnd(12)} ${Math.min(inputs.length, INPUTS_MAX)} of ${inputs.length} inputs`);
}

/** Targets by name, `limit` seconds each. */
export async function fuzzCore({ targets, limit, keeps }) {
  heading('Fuzzer: the alarm');
  await fuzz.build('-p', 'offheap-fuzz', '--release');
  mkdirSync(work('crashes'), { recursive: true });
  const alarm = await timed('a planted double owner', canary);
  heading(`Fuzzer: ${targets.length} targets, ${seconds(limit * 1000)} each`);
  const rows = await timed('models of the core', () =>
    inPairs(targets, async (target) => {
      const result = await fuzzTarget(target, limit);
      if (keeps) await keep(target);
      return result;
    }));
  return [alarm, rows];
}
