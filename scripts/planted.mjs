// `npm run planted`: plants each bug of planted/ in a scratch copy, one at a time, and demands that the test that is meant to notice it does.
// `-- NAME…` tries those whose names contain one of these; `-- --some 5 [--seed N]` five of them, which another day or seed lets follow those;
// `-- --write` writes the table in docs/TESTING.md.
import { planted } from '../planted/index.mjs';
import { Stop, finish, heading, main, seconds } from './lib.mjs';
import { ensurePackages } from './ensure.mjs';
import { build, nameOf, runRed } from './planted/commands.mjs';
import { writePage } from './planted/page.mjs';
import { bringUpToDate, plant, uproot } from './planted/scratch.mjs';

/** How long a command may take without a bug, and with one: so many times as long, for it may be slow in a bad hour, but at least so long. */
const GREEN_LIMIT_MS = 5 * 60_000;
const LIMIT_FACTOR = 5;
const LIMIT_MIN_MS = 30_000;
const DAY_MS = 24 * 60 * 60_000;
const USAGE = 'Usage: npm run planted [-- part-of-a-name… | --some COUNT [--seed N] | --write]';

const LINES_SHOWN = 40;
const shown = (says) => says.split('\n').slice(-LINES_SHOWN).join('\n');

const whole = (text) => (/^\d+$/.test(text ?? '') ? Number(text) : null);

function chosen(args) {
  if (args.length === 0) return planted;
  if (args[0] !== '--some') {
    if (args.some((arg) => arg.startsWith('-'))) throw new Stop(USAGE);
    const found = planted.filter(({ name }) => args.some((part) => name.includes(part)));
    if (found.length === 0) throw new Stop('No planted bug has such a name: planted/index.mjs has them all.');
    return found;
  }
  const count = whole(args[1]);
  const seed = args[2] === '--seed' ? whole(args[3]) : Math.floor(Date.now() / DAY_MS);
  if (count === null || count === 0 || seed === null || (args.length > 2 && args[2] !== '--seed') || args.length > 4) throw new Stop(USAGE);
  console.log(`seed ${seed}: \`npm run planted -- --some ${count} --seed ${seed}\` tries the same`);
  return Array.from({ length: Math.min(count, planted.length) }, (_, index) => planted[(seed * count + index) % planted.length]);
}

/** Built and run without a bug, once for each command: how long it takes, or why it proves nothing. */
async function proveGreen(reds) {
  const green = new Map();
  for (const red of reds) {
    const name = nameOf(red);
    if (green.has(name)) continue;
    const refused = await build(red);
    const { verdict, how, ms, says } = refused === null ? await runRed(red, GREEN_LIMIT_MS) : { verdict: 'unbuilt', how: 'does not build', ms: 0, says: refused };
    green.set(name, { isGreen: verdict === 'green', ms, how });
    console.log(`${verdict === 'green' ? 'ok' : 'NO'}  ${name}: ${how} (${seconds(ms)})`);
    if (verdict !== 'green') console.log(shown(says));
  }
  return green;
}

/** Plants one bug. */
async function tryOne({ name, red }, { isGreen, ms, how }) {
  if (!isGreen) return { isRed: false, how: `red without it too: ${how}`, says: '' };
  const refused = await plant(name);
  try {
    if (refused !== null) return { isRed: false, how: 'the patch does not apply', says: refused };
    const complaint = await build(red);
    if (complaint !== null) return { isRed: false, how: 'does not build, so no test is needed', says: complaint };
    const { verdict, how: outcome, says } = await runRed(red, Math.max(LIMIT_MIN_MS, LIMIT_FACTOR * ms));
    return { isRed: verdict === 'red', how: outcome, says: verdict === 'green' ? '' : says };
  } finally {
    uproot(name);
  }
}

await main(async (args) => {
  if (args.length === 1 && args[0] === '--write') return writePage();
  const bugs = chosen(args);
  await ensurePackages();
  await bringUpToDate();
  heading('Without a bug');
  const green = await proveGreen(bugs.map(({ red }) => red));
  heading('With one bug at a time');
  const total = { passed: 0, failed: 0 };
  const width = Math.max(...bugs.map(({ name }) => name.length));
  for (const bug of bugs) {
    const started = performance.now();
    const { isRed, how, says } = await tryOne(bug, green.get(nameOf(bug.red)));
    total[isRed ? 'passed' : 'failed'] += 1;
    console.log(`${isRed ? 'red' : 'NOT'}  ${bug.name.padEnd(width)}  ${seconds(performance.now() - started).padStart(8)}  ${how}`);
    if (!isRed) console.log(`     ${bug.breaks} \`${nameOf(bug.red)}\` must notice it.\n${shown(says)}`);
  }
  return finish(total);
});
