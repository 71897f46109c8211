// Random calls of everything that the package exports, with hostile values: child processes of __test__/misuse/fuzz.mjs.
import { Stop, heading, inRoot, runNode, seconds } from '../lib.mjs';
import { ensure } from '../ensure.mjs';
import { timed } from './rung.mjs';

/** Several times what the longest takes on two busy cores. */
const LIMIT_MS = 5 * 60_000;
const program = inRoot('__test__', 'misuse', 'fuzz.mjs');

function child(seed, calls, frontend, ...more) {
  const env = Object.fromEntries(Object.keys(process.env).filter((name) => name.startsWith('OFFHEAP_')).map((name) => [name, undefined]));
  return runNode(['--expose-gc', program, String(seed), String(calls), ...more], {
    output: 'capture', limitMs: LIMIT_MS, env: { ...env, NODE_OPTIONS: '', OFFHEAP_FRONTEND: frontend },
  });
}

/** What the program prints when all was as it should be. */
function reportOf(stdout) {
  const line = stdout.split('\n').findLast((text) => text.startsWith('{"seed"'));
  return line === undefined ? undefined : JSON.parse(line);
}

/** Planted misbehaviour, and what must be said of it; each ends its process with an error. */
const CANARIES = [
  { canary: 'error', expected: /planted threw what is not documented: RangeError: planted/ },
  { canary: 'leak', expected: /rows of blocks: \d+ instead of \d+/ },
  { canary: 'write', expected: /witness of 33 bytes changed/ },
  { canary: 'abort', expected: undefined },
];

async function alarm() {
  for (const { canary, expected } of CANARIES) {
    const { code, signal, stderr } = await child(1, 500, 'on', canary);
    const reports = expected === undefined ? Number(signal === 'SIGABRT') : [...stderr.matchAll(new RegExp(expected, 'g'))].length;
    if (reports !== 1 || code === 0) throw new Stop(`The alarm is broken: the planted ${canary} was reported ${reports} times (exit code ${code}), so the calls prove nothing. ${stderr.trim()}`);
    console.log(`planted ${canary}: reported`);
  }
  return { passed: CANARIES.length, failed: 0 };
}

/** One process. Undefined when it went wrong, and then what was wrong is on the console, with the command that does it again. */
async function fuzzCalls(seed, calls, frontend) {
  const { code, signal, stdout, stderr, ms } = await child(seed, calls, frontend);
  const report = reportOf(stdout);
  const isGood = code === 0 && signal === null && stderr === '' && report?.stats === 'exact' && report.bystanders === 'intact' && report.calls === calls;
  if (isGood) {
    console.log(`ok     seed ${String(seed).padEnd(10)} front-end ${frontend.padEnd(3)}  ${calls} calls, ${report.refused} refused (${seconds(ms)})`);
    return report;
  }
  console.log(`FAILED seed ${seed}, front-end ${frontend}: exit code ${code}, signal ${signal}\n${stdout}${stderr}`);
  console.log(`  again: OFFHEAP_FRONTEND=${frontend} node --expose-gc __test__/misuse/fuzz.mjs ${seed} ${calls}`);
  return undefined;
}

/** Some seeds are always the same, the others of this run. */
async function fuzzAll(processes, calls) {
  const own = 1 + Math.floor(Math.random() * 0x7fff_0000);
  const reports = [];
  for (let index = 0; index < processes; index += 1) {
    const seed = index < processes / 2 ? index + 1 : own + index;
    reports.push(await fuzzCalls(seed, calls, index % 2 === 0 ? 'on' : 'off'));
  }
  const good = reports.filter((report) => report !== undefined);
  const seen = new Map();
  for (const report of good) for (const [code, count] of Object.entries(report.seen)) seen.set(code, (seen.get(code) ?? 0) + count);
  console.log(`${good.length * calls} calls of ${good[0]?.functions ?? 0} functions, ${good.reduce((sum, { refused }) => sum + refused, 0)} refused; codes:`);
  for (const [code, count] of [...seen].toSorted((x, y) => y[1] - x[1])) console.log(`  ${String(count).padStart(7)}  ${code}`);
  const idle = (good[0]?.idle ?? []).filter((name) => good.every((report) => report.idle.includes(name)));
  for (const name of idle) console.log(`FAILED ${name}: no call of it did anything; give it arguments that it takes`);
  return { passed: good.length, failed: processes - good.length + idle.length };
}

/** `processes` child processes of `calls` calls each. */
export async function climbCalls({ processes, calls }) {
  await ensure();
  heading('Calls of every export: the alarm');
  const planted = await timed('planted misbehaviour in JavaScript', alarm);
  heading(`Calls of every export: ${processes} processes, ${calls} calls each`);
  return [planted, await timed('processes with calls of every export', () => fuzzAll(processes, calls))];
}
