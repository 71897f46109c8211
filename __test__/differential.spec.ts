// One random script, run twice by a child process (_differential.mjs): once with memory that JavaScript hands out by itself, once with
// OFFHEAP_FRONTEND=off, where every call is native. A caller sees the same, line by line: what is granted and refused, sizes, labels,
// liveness, bytes, views, figures and rows. The seeds are fixed, and two are new each time; a failure names its seed, and
//   node __test__/_differential.mjs <seed> 500
// repeats it.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';

const program = fileURLToPath(new URL('_differential.mjs', import.meta.url));
/** Each found something once. Those that divide by four pause in the middle: the clock without which nothing is handed out has stopped then. */
const SEEDS = [4, 5, 8, 10, 16, 19, 23, 24, 25, 27, 36, 38, 381054];
const STEPS = 500;
const TIMEOUT_MS = 60_000;
/** Fewer would be a script that stopped halfway in both. */
const LINES_LEAST = STEPS;

/** What the script prints. A seed's two runs are at the same time: more would not help, machines have few cores. */
async function linesOf(seed: number, frontend: 'on' | 'off'): Promise<string[]> {
  const env = { ...process.env, NODE_OPTIONS: '', OFFHEAP_FRONTEND: frontend };
  const child = spawn(process.execPath, [program, `${seed}`, `${STEPS}`], { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code, signal] = await new Promise<unknown[]>((resolve, reject) => {
    child.on('error', reject).on('close', (...how) => resolve(how));
  });
  if (code !== 0) throw new Error(`seed ${seed}, front-end ${frontend}: ended with ${String(code ?? signal)}\n${stderr}`);
  return stdout.split('\n');
}

async function compare(t: ExecutionContext, seed: number): Promise<void> {
  const [on, off] = await Promise.all([linesOf(seed, 'on'), linesOf(seed, 'off')]);
  t.true(off.length > LINES_LEAST, `${off.length} lines`);
  const at = off.findIndex((line, index) => line !== on[index]);
  const before = off.slice(0, Math.max(0, at)).findLast((line) => line.includes(' > '));
  if (at >= 0) t.deepEqual({ on: on[at], off: off[at] }, { on: off[at], off: off[at] }, `seed ${seed}, line ${at + 1}, in step ${before}`);
  t.is(on.length, off.length, `seed ${seed}`);
  t.deepEqual(off.filter((line) => line.includes(' damaged ') && !line.endsWith('[]')), [], `seed ${seed}: bytes of two owners met`);
  t.deepEqual(off.filter((line) => line.endsWith(' zeroed false')), [], `seed ${seed}: bytes of an earlier owner`);
}

for (const seed of SEEDS) {
  test.serial(`with the front-end and without it a caller sees the same: seed ${seed}`, async (t) => {
    await compare(t, seed);
  });
}

test.serial('with the front-end and without it a caller sees the same: two seeds that nobody chose', async (t) => {
  for (let count = 0; count < 2; count += 1) {
    const seed = 1000 + Math.floor(Math.random() * 1_000_000);
    t.log(`seed ${seed}`);
    await compare(t, seed);
  }
});
