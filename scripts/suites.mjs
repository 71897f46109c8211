// The test suites, each as a function that returns { passed, failed }.
// Minimum counts: a suite that silently runs nothing must be red. Raise them as the suites grow.
import { inRoot, loomFlags, portableFlags, run, runCargo, runNode, seconds } from './lib.mjs';
import { readTap } from './tap.mjs';

export const MIN_RUST_TESTS = 530;
export const MIN_AVA_TESTS = 1240;

/** Specs by name, for short forms. */
export const PARTS = {
  /** In which versions of the engine differ: views and what becomes of them, collections, workers, the front-end. */
  engine: {
    names: [
      'allocators.views', 'allocators.workers', 'atomics.waits', 'free', 'frontend', 'frontend.allocators', 'frontend.calls', 'frontend.rings', 'frontend.totals', 'operations.async',
      'primordials', 'shares', 'views', 'views.escape', 'workers',
    ],
    minimum: 325,
  },
  /** In which it matters who hands memory out. */
  handing: {
    names: [
      'allocators', 'allocators.memory', 'allocators.native', 'allocators.properties', 'allocators.stats', 'allocators.strategies', 'allocators.workers', 'block',
      'block.life', 'differential', 'frontend', 'frontend.allocators', 'frontend.calls', 'frontend.rings', 'frontend.totals', 'manager', 'pool', 'pool.waiting', 'properties', 'seed',
      'seed.allocators', 'shares', 'stats', 'workers',
    ],
    minimum: 325,
  },
};
export const MIN_MODELS = 84;

/** One failure more than were counted when the suite ran fewer tests than it must, or ended badly without naming a test. */
function settle(name, { passed, failed }, { minimum, code, ms }) {
  const ran = passed + failed;
  const complaints = [];
  if (ran < minimum) complaints.push(`only ${ran} tests ran, at least ${minimum} must: find what was not picked up`);
  if (code !== 0 && failed === 0) complaints.push(`the runner ended with exit code ${code} although no test failed`);
  for (const complaint of complaints) console.log(`FAILED ${name}: ${complaint}`);
  console.log(`${name}: ${passed} passed, ${failed + complaints.length} failed (${seconds(ms)})`);
  return { passed, failed: failed + complaints.length };
}

/** The core's tests; a build of its own has its own folder among `args`, and its flags in `env`. */
export async function rustSuite({ name = 'Rust', args = [], env = {}, minimum = MIN_RUST_TESTS } = {}) {
  const { code, stdout, ms } = await runCargo(['test', '-p', 'offheap-core', '--no-fail-fast', ...args], { output: 'stdout', env });
  let passed = 0;
  let failed = 0;
  for (const [, ok, bad, ignored] of stdout.matchAll(/^test result: .*? (\d+) passed; (\d+) failed; (\d+) ignored/gm)) {
    passed += Number(ok);
    failed += Number(bad) + Number(ignored); // a test that is switched off proves nothing
  }
  for (const [, test] of stdout.matchAll(/^test (.*) \.\.\. ignored/gm)) console.log(`FAILED ${test}: ignored; make it run or delete it`);
  if (code !== 0) console.log(stdout.replace(/^test .* \.\.\. ok\n/gm, ''));
  return settle(name, { passed, failed }, { minimum, code, ms });
}

/** The same on the portable fallback for memory calls. */
export const portableSuite = () => rustSuite({ name: 'Rust, portable memory', args: ['--target-dir', 'target/portable'], env: portableFlags() });

/** Of a run that is not the full one: workers terminated in each scene of workers.spec.ts, where 100 are usual. */
const FEWER = { TERMINATIONS: '20' };

/** The specs in __test__, or a `part` of them by name, on the given Node binary, with or without the front-end that hands memory out in JavaScript. */
export function avaSuite({ node = process.execPath, version = process.versions.node, frontend = 'on', isFull = frontend === 'on', part } = {}) {
  const env = { OFFHEAP_FRONTEND: frontend, ...(isFull ? {} : FEWER) };
  if (part === undefined) return specSuite(`Specs on Node ${version}, front-end ${frontend}`, { node, env });
  return specSuite(`Some specs on Node ${version}, front-end ${frontend}`, { node, env, args: part.names.map((name) => `__test__/${name}.spec.ts`), minimum: part.minimum });
}

/** Specs, all of them or what `args` tell ava. */
export async function specSuite(name, { node = process.execPath, args = [], env = {}, minimum = MIN_AVA_TESTS }) {
  const cli = inRoot('node_modules', 'ava', 'entrypoints', 'cli.mjs');
  const { code, stdout, ms } = await run(node, [cli, '--tap', ...args], { output: 'stdout', env });
  const { passed, failures, complete, byFile } = readTap(stdout);
  for (const failure of failures) console.log(`${failure}\n`);
  if (!complete) console.log('FAILED the report is cut short (its own error is above): run `npx ava` to see the test\n');
  for (const [file, count] of byFile) console.log(`  ${String(count).padStart(4)} ok  ${file}`);
  const failed = failures.length + (complete ? 0 : 1);
  return settle(name, { passed, failed }, { minimum, code, ms });
}

/** What cargo is told before `--` to build or to run the models: optimised, and in a folder of their own, for all is compiled anew. */
export const modelArgs = ['test', '-p', 'offheap-loom', '--release', '--target-dir', 'target/loom', '--test', 'models'];

/** The models of crates/offheap-loom, or those whose names contain `part`. A model that takes longer than `limitMs` fails. */
export async function modelSuite({ part, limitMs }) {
  const args = [...modelArgs, '--', '--show-output', ...(part === undefined ? [] : [part])];
  const { code, signal, stdout, ms } = await runCargo(args, { output: 'stdout', env: loomFlags(), limitMs });
  const count = (verdict) => [...stdout.matchAll(new RegExp(`^test \\S+ \\.\\.\\. ${verdict}`, 'gm'))].length;
  const ways = [...stdout.matchAll(/^\S+: \d+ ways, [\d.]+ s$/gm)].map(([line]) => `  ${line}`);
  console.log(ways.join('\n'));
  if (code !== 0) console.log(stdout.replace(/^test .* \.\.\. ok\n/gm, ''));
  if (signal !== null) console.log(`FAILED models: stopped after ${seconds(ms)}, the limit`);
  const minimum = part === undefined ? MIN_MODELS : 1;
  return settle('Models', { passed: count('ok'), failed: count('FAILED') + count('ignored') }, { minimum, code, ms });
}

/** A script of this folder that prints its own count and ends with `N passed, N failed`. */
export async function scriptSuite(name, ...args) {
  const { code, stdout, ms } = await runNode(args, { output: 'stdout' });
  process.stdout.write(stdout.replace(/\n*\d+ passed, \d+ failed\s*$/, '\n'));
  const [, passed = '0', failed = '0'] = /(\d+) passed, (\d+) failed\s*$/.exec(stdout) ?? [];
  return settle(name, { passed: Number(passed), failed: Number(failed) }, { minimum: 1, code, ms });
}
