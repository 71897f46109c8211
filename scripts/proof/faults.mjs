// `npm run proof:faults`: the library while memory is refused to it: on order in Rust, by a limit of address space in Node.
// `-- --quick` tries fewer seeds and heights. docs/TESTING.md says what it can and cannot see.
import { ensure } from '../ensure.mjs';
import { Stop, heading, inRoot, isEntry, run, runCargo, seconds } from '../lib.mjs';
import { inPairs, rungMain, timed } from './rung.mjs';

/** A scene that is gone must not go unnoticed. Raise it as scenes come. */
const MIN_SCENES = 10;
/** Several times what the longest takes on two cores. */
const LIMIT_MS = 10 * 60_000;
const SEEDS = { full: 4, quick: 1 };
/** Of address space, in KiB: Node itself has about 1.5 GiB of it on its oldest line that we support, and more on the newest. */
const HEIGHTS = { full: [4_000_000, 5_000_000, 6_000_000, 8_000_000], quick: [5_000_000] };

const env = { RUSTFLAGS: `${process.env.RUSTFLAGS ?? ''} --cfg offheap_faults`.trim(), RUST_BACKTRACE: '0', MALLOC_ARENA_MAX: '2' };
const program = inRoot('target', 'faults', 'debug', process.platform === 'win32' ? 'faults.exe' : 'faults');

async function build() {
  const args = ['build', '-p', 'offheap-proof', '--bin', 'faults', '--target-dir', 'target/faults'];
  const { code } = await runCargo(args, { env: { ...env, CARGO_PROFILE_DEV_OPT_LEVEL: '1' } });
  if (code !== 0) throw new Stop('The scenes could not be built: the compiler says above why.');
}

/** Each alarm is tested with a leak that it must report. */
async function alarm(command, args, expected) {
  const { code, stderr } = await run(command, args, { output: 'capture', env, limitMs: LIMIT_MS });
  if (code === 0 || !expected.test(stderr)) {
    throw new Stop(`The alarm is broken: a planted leak was not reported (exit code ${code}), so it proves nothing. ${stderr.trim()}`);
  }
  console.log('planted leak: reported');
  return { passed: 1, failed: 0 };
}

async function scene(name, command, args) {
  const { code, signal, stdout, stderr, ms } = await run(command, args, { output: 'capture', env, limitMs: LIMIT_MS });
  const refusals = Number(/^(\d+) refusals$/m.exec(stdout)?.[1] ?? 0);
  const isGood = code === 0 && refusals > 0;
  console.log(`${isGood ? 'ok    ' : 'FAILED'} ${name}: ${refusals} refusals (${seconds(ms)})`);
  if (!isGood) console.log(`exit code ${code}, signal ${signal}\n${stdout}${stderr}`);
  return isGood ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

const sum = (results) => results.reduce((total, { passed, failed }) => ({ passed: total.passed + passed, failed: total.failed + failed }), { passed: 0, failed: 0 });

async function scenes(seeds) {
  const { stdout } = await run(program, ['--list'], { output: 'capture' });
  const names = stdout.trim().split('\n').filter((name) => name !== 'canary');
  const results = [];
  if (names.length < MIN_SCENES) {
    console.log(`FAILED only ${names.length} scenes, at least ${MIN_SCENES} must run`);
    results.push({ passed: 0, failed: 1 });
  }
  results.push(await inPairs(names, (name) => scene(name, program, [name, String(seeds)])));
  return sum(results);
}

/** Node under a shell's limit. */
const limited = (height, ...args) => ['-c', `ulimit -v ${height} && exec "$@"`, 'bash', process.execPath, '--expose-gc', inRoot('scripts', 'proof', 'scenes', 'refused.mjs'), ...args];

async function heights(all) {
  const results = [];
  for (const height of all) results.push(await scene(`Node under ${height >> 10} MiB`, 'bash', limited(height)));
  return sum(results);
}

export async function climbFaults({ quick = false } = {}) {
  const form = quick ? 'quick' : 'full';
  heading('Refused memory: the alarm');
  await build();
  await ensure();
  const rows = [await timed('planted leaks', async () =>
    sum([await alarm(program, ['canary'], /address space is lost/), await alarm('bash', limited(HEIGHTS.quick[0], 'leak'), /blocks are left/)]))];
  heading('Refused memory: the core');
  rows.push(await timed('every so many requests', () => scenes(SEEDS[form])));
  heading('Refused memory: Node');
  rows.push(await timed('a limit of address space', () => heights(HEIGHTS[form])));
  return rows;
}

if (isEntry(import.meta.url)) await rungMain('proof:faults', ({ quick }) => [{ name: 'faults', run: () => climbFaults({ quick }) }], { hasQuick: true });
