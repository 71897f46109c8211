// `npm run proof:asan`: AddressSanitizer on the core's tests, and on the addon inside Node, below the specs. `-- --quick` runs
// some of both, `-- NAME…` the specs whose names contain one of these. docs/TESTING.md says what it can and cannot see.
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { ensure } from '../ensure.mjs';
import { Stop, heading, inRoot, isEntry, run } from '../lib.mjs';
import { rustSuite, specSuite } from '../suites.mjs';
import { Sanitizer, rungMain, timed } from './rung.mjs';

const asan = new Sanitizer({
  name: 'asan',
  // The addon is never unloaded, as the one that ships. Sizes that no system has are asked for on purpose. What was freed waits
  // before it is used again, by default 256 MB of it: so much more than usual that specs would see the process grow.
  flags: '-Zsanitizer=address -Clink-arg=-Wl,-z,nodelete --cfg offheap_canary',
  options: { detect_leaks: '0', allocator_may_return_null: '1', quarantine_size_mb: '16', exitcode: '86' },
});

const BUGS = [
  { bug: 'overflow', expected: /heap-buffer-overflow/ },
  { bug: 'use-after-free', expected: /heap-use-after-free/ },
];

/** The short form: what hands memory out, takes it back, and what misuse gets. */
const QUICK = ['allocators', 'allocators.strategies', 'allocators.views', 'block', 'block.life', 'manager.operations', 'pool', 'properties', 'shares', 'views', 'views.escape'];
const MIN_QUICK_TESTS = 320;
/** Of the core, the tests of the whole: those of its parts take longer than all others together. */
const QUICK_RUST = ['--test', '*'];
const MIN_QUICK_RUST_TESTS = 240;

/** Specs that say nothing about the addon that is watched, by the first word of their names, and why. */
const LEFT_OUT = {
  bench: 'the benchmark times what others check',
  package: 'it is about which addon is found, and what importing the one that ships makes resident',
};
/** Tests that cannot be right under a sanitizer, and why. */
const LEFT_OUT_TESTS = {
  'bug of the original: compare ran at 0.07 GB/s, and signed': 'it measures speed',
};
const MIN_TESTS = 1115;

function specs({ quick, names }) {
  if (quick) return QUICK;
  const all = readdirSync(inRoot('__test__')).filter((name) => name.endsWith('.spec.ts')).map((name) => name.replace('.spec.ts', ''));
  const watched = all.filter((name) => !Object.hasOwn(LEFT_OUT, name.split('.')[0]));
  const chosen = names.length === 0 ? watched : watched.filter((name) => names.some((part) => name.includes(part)));
  if (chosen.length === 0) throw new Stop('No spec that is watched has such a name.');
  return chosen;
}

async function core(quick) {
  heading('AddressSanitizer: the alarm');
  await asan.build('-p', 'offheap-proof', '--bin', 'canary');
  const alarm = await asan.canaries('planted bugs in the core', asan.output('debug', 'canary'),
    BUGS.map(({ bug, expected }) => ({ args: [bug], expected })));
  heading('AddressSanitizer: the core');
  const tests = await timed(quick ? 'some tests of the core' : 'tests of the core', () =>
    asan.watch(() => rustSuite({
      name: 'Rust, AddressSanitizer',
      args: [...(quick ? QUICK_RUST : []), ...asan.buildArgs],
      env: { ...asan.buildEnv, ...asan.env },
      minimum: quick ? MIN_QUICK_RUST_TESTS : undefined,
    })));
  return [alarm, tests];
}

/** The sanitizer's library must be the first of the process, and Node is not linked with it. */
async function preload() {
  const { stdout } = await run('gcc', ['-print-file-name=libasan.so'], { output: 'capture' });
  const path = stdout.trim();
  if (!existsSync(path)) throw new Stop('libasan.so is missing: the addon in Node needs the one that comes with gcc.');
  return path;
}

/** The addon where Node loads it from: what ships stays as it is. */
async function buildAddon() {
  await asan.build('-p', 'offheap-node', '--release');
  const addon = inRoot('.cache', 'proof', 'offheap.asan.node');
  mkdirSync(inRoot('.cache', 'proof'), { recursive: true });
  copyFileSync(asan.output('release', 'liboffheap_node.so'), addon);
  return { LD_PRELOAD: await preload(), NAPI_RS_NATIVE_LIBRARY_PATH: addon };
}

async function inNode({ quick, names }) {
  const chosen = specs({ quick, names });
  const isWhole = !quick && names.length === 0;
  await ensure();
  heading('AddressSanitizer in Node: the alarm');
  const env = await buildAddon();
  const plant = "require('./native/index.cjs').plant(process.argv[1])"; // through the loader that the specs use
  const alarm = await asan.canaries('planted bugs below Node', process.execPath,
    BUGS.map(({ bug, expected }) => ({ args: ['-e', plant, bug], expected })), env);
  const what = isWhole ? 'specs' : 'some specs';
  heading(`AddressSanitizer in Node: ${what}`);
  for (const [name, reason] of Object.entries(LEFT_OUT)) console.log(`left out: ${name}.spec.ts: ${reason}`);
  for (const [title, reason] of Object.entries(LEFT_OUT_TESTS)) console.log(`left out: ${title}: ${reason}`);
  const tests = await timed(what, () =>
    asan.watch(() => specSuite('Specs, AddressSanitizer', {
      args: ['--timeout=10m', ...Object.keys(LEFT_OUT_TESTS).flatMap((title) => ['--match', `!${title}`]), ...chosen.map((name) => `__test__/${name}.spec.ts`)],
      env: { ...asan.env, ...env, TERMINATIONS: '20' },
      minimum: isWhole ? MIN_TESTS : quick ? MIN_QUICK_TESTS : 1,
    })));
  return [alarm, tests];
}

export const climbAsan = async ({ quick = false, names = [] } = {}) =>
  [...(names.length > 0 ? [] : await core(quick)), ...(await inNode({ quick, names }))];

if (isEntry(import.meta.url)) {
  const rungs = ({ quick, args }) => [{ name: 'asan', run: () => climbAsan({ quick, names: args }) }];
  await rungMain('proof:asan', rungs, { hasQuick: true, hasNames: true });
}
