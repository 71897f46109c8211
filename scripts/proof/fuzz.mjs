// `npm run proof:fuzz`: a fuzzer on the models of the core's tests, and random calls of everything that the package exports.
// docs/TESTING.md says what it can and cannot see. `-- --quick` gives each target 10 s, `-- --seconds N` N; names are targets, and
// `calls` is the part in JavaScript; `-- --keep` writes what it found into the corpus.
import { Stop, isEntry } from '../lib.mjs';
import { climbCalls } from './fuzz-calls.mjs';
import { TARGETS, fuzzCore } from './fuzz-core.mjs';
import { rungMain } from './rung.mjs';

const SECONDS = { quick: 10, full: 60 };
const CALLS = { quick: { processes: 5, calls: 2000 }, full: { processes: 10, calls: 10_000 } };

function choices(args) {
  const wanted = { names: [], keeps: false };
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index];
    if (arg === '--keep') wanted.keeps = true;
    else if (arg === '--seconds' && Number(args[index + 1]) > 0) wanted.limit = Number(args[(index += 1)]);
    else if ([...TARGETS, 'calls'].includes(arg)) wanted.names.push(arg);
    else throw new Stop(`Usage: npm run proof:fuzz [-- --quick | --seconds N] [--keep] [calls | ${TARGETS.join(' | ')}]…`);
  }
  return wanted;
}

export async function climbFuzz({ quick = false, args = [] } = {}) {
  const form = quick ? 'quick' : 'full';
  const { names, keeps, limit = SECONDS[form] } = choices(args);
  const targets = names.length > 0 ? names.filter((name) => name !== 'calls') : TARGETS;
  const rows = targets.length > 0 ? await fuzzCore({ targets, limit, keeps }) : [];
  if (names.length === 0 || names.includes('calls')) rows.push(...(await climbCalls(CALLS[form])));
  return rows;
}

if (isEntry(import.meta.url)) await rungMain('proof:fuzz', ({ quick, args }) => [{ name: 'fuzz', run: () => climbFuzz({ quick, args }) }], { hasQuick: true, takesMore: true });
