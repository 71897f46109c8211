// `npm run proof:soak`: workers allocate, share, and end in every way, for two minutes; `-- --minutes N` for longer, `-- --quick` for
// 20 seconds and 50 teardowns. docs/TESTING.md says what it can and cannot see.
import { ensure } from '../ensure.mjs';
import { Stop, heading, inRoot, isEntry, main, run } from '../lib.mjs';
import { climb, rungMain, timed } from './rung.mjs';

const SCENE = inRoot('scripts', 'proof', 'scenes', 'soak.mjs');
const QUICK = { seconds: 20, teardowns: 50 };
const MINUTES = 2;
/** Beyond what it should take: a process that hangs is stopped. */
const PATIENCE_MS = 5 * 60_000;
/** What the planted leaks must be reported as. */
const LEAKS = [/blocks are left/, /rows are left/, /fds grow/, /rss grow/];

const soak = ({ seconds, teardowns, seed }, leak, options) =>
  run(process.execPath, ['--expose-gc', SCENE, ...[seconds, teardowns, seed].map(String), ...leak], { limitMs: seconds * 1000 + PATIENCE_MS, ...options });

async function alarm() {
  const { code, stderr } = await soak({ seconds: 10, teardowns: 4, seed: 1 }, ['leak'], { output: 'capture' });
  const missed = LEAKS.filter((leak) => !leak.test(stderr));
  if (code === 0 || missed.length > 0) throw new Stop(`The alarm is broken: planted leaks were not reported (${missed.join(', ')}), so it proves nothing. ${stderr.trim()}`);
  console.log('planted leaks of a block, file descriptors and memory: reported');
  return { passed: LEAKS.length, failed: 0 };
}

async function soakOnce(form) {
  const { code, signal } = await soak(form, [], { output: 'inherit' });
  if (code !== 0) console.log(`FAILED soak: exit code ${code}${signal === null ? '' : `, ${signal}`}; seed ${form.seed}`);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
}

export async function climbSoak({ quick = false, minutes = MINUTES } = {}) {
  heading('Soak: the alarm');
  await ensure();
  const rows = [await timed('planted leaks', alarm)];
  const form = { ...(quick ? QUICK : { seconds: 60 * minutes, teardowns: QUICK.teardowns }), seed: Math.trunc(Math.random() * 2 ** 31) };
  heading(`Soak: ${form.seconds} s and ${form.teardowns} teardowns at least, seed ${form.seed}`);
  rows.push(await timed('workers come and go', () => soakOnce(form)));
  return rows;
}

if (isEntry(import.meta.url)) {
  const [flag, minutes] = process.argv.slice(2);
  if (flag === '--minutes' && Number(minutes) > 0 && process.argv.length === 4) await main(() => climb([{ name: 'soak', run: () => climbSoak({ minutes: Number(minutes) }) }]));
  else await rungMain('proof:soak', ({ quick }) => [{ name: 'soak', run: () => climbSoak({ quick }) }], { hasQuick: true });
}
