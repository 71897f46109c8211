// `npm run check`: everything that can be said about the sources without running the library.
// Every step runs, also after a failure: a table first, then what each failed step had to say.
import { existsSync } from 'node:fs';
import { dependencyBreaches } from './dependencies.mjs';
import { ensure } from './ensure.mjs';
import { hygieneBreaches, hygieneSelfTest } from './hygiene.mjs';
import { inRoot, loomFlags, main, portableFlags, proofFlags, runCargo, runNode } from './lib.mjs';
import { plantedBreaches } from './planted/page.mjs';
import { findBreaches } from './rooms.mjs';
import { selfTest } from './rooms/self-test.mjs';

const tool = (...path) => inRoot('node_modules', ...path);
const tsc = tool('typescript', 'bin', 'tsc');
const linted = ['index.ts', 'facade', '__test__', 'benchmark', 'examples', 'scripts', 'planted'];

const command = (start) => async () => {
  const { code, stdout, stderr } = await start({ output: 'capture' });
  return code === 0 ? [] : [`${stdout}${stderr}`.trim()];
};
const cargo = (args, env = {}) => command((options) => runCargo(args, { ...options, env }));
const node = (...args) => command((options) => runNode(args, options));

const steps = {
  'cargo fmt': cargo(['fmt', '--all', '--check']),
  'clippy': cargo(['clippy', '--quiet', '-p', 'offheap-core', '-p', 'offheap-bench', '-p', 'offheap-fuzz', '--all-targets', '--', '-D', 'warnings']),
  // Not its test target: napi's macros leave every function of the addon unused there.
  'clippy, addon': cargo(['clippy', '--quiet', '-p', 'offheap-node', '--', '-D', 'warnings']),
  'clippy, portable memory': cargo(
    ['clippy', '--quiet', '-p', 'offheap-core', '--all-targets', '--target-dir', 'target/portable', '--', '-D', 'warnings'], portableFlags()),
  // Of the library what the models run; its own tests are no models.
  'clippy, models': cargo(['clippy', '--quiet', '-p', 'offheap-core', '-p', 'offheap-loom', '--lib', '--test', 'models',
    '--release', '--target-dir', 'target/loom', '--', '-D', 'warnings'], loomFlags()),
  'clippy, programs of the proof': cargo(['clippy', '--quiet', '-p', 'offheap-core', '-p', 'offheap-node', '-p', 'offheap-proof', '--lib', '--bins',
    '--target-dir', 'target/proof', '--', '-D', 'warnings'], proofFlags('--cfg offheap_canary --cfg offheap_faults --cfg offheap_tsan')),
  'oxlint': node(tool('oxlint', 'bin', 'oxlint'), '--deny-warnings', ...linted.filter((name) => existsSync(inRoot(name)))),
  'types of the library': node(tsc, '--noEmit', '-p', 'tsconfig.json'),
  'types of tests, benchmarks, examples': node(tsc, '--noEmit', '-p', '__test__/tsconfig.json'),
  'rooms': () => findBreaches(),
  'rooms, planted breaches': async () => (await selfTest(findBreaches)).failures,
  'planted bugs': () => plantedBreaches(),
  'reasons for dependencies': () => dependencyBreaches(),
  'marks and paths': async () => [...(await hygieneBreaches()), ...hygieneSelfTest()],
};

await main(async () => {
  await ensure();
  const failed = [];
  console.log(`\n${'step'.padEnd(38)}  ok        ms`);
  for (const [name, step] of Object.entries(steps)) {
    const started = performance.now();
    const breaches = await step();
    const ms = Math.round(performance.now() - started);
    console.log(`${name.padEnd(38)}  ${breaches.length === 0 ? 'ok' : 'NO'}  ${String(ms).padStart(8)}`);
    if (breaches.length > 0) failed.push([name, breaches]);
  }
  for (const [name, breaches] of failed) console.log(`\n== ${name}\n${breaches.join('\n')}`);
  console.log(failed.length === 0 ? '\ncheck: all in order' : `\ncheck: breaches in ${failed.map(([name]) => name).join('; ')}`);
  return failed.length === 0;
});
