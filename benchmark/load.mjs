// Loading the package in a fresh process. Every figure is a median: one process loads once.
import { fileURLToPath } from 'node:url';
import { runNode } from '../scripts/lib.mjs';
import { maximum, median, minimum } from './_checks.mjs';

export const group = 'load';

const probe = fileURLToPath(new URL('_probe.mjs', import.meta.url));
const WAYS = { import: 'import, fresh process', require: 'require(), fresh process' };
const RSS = 'resident memory added by the import';
const ADDON = 'size of the addon file';
/** A process that loads nothing, beside those that load a package. */
const NOTHING = 'nothing';

export const rows = [
  ...Object.values(WAYS).map((operation) => ({ operation, unit: 'ms', target: { written: 10, scaled: true } })),
  { operation: RSS, unit: 'MiB', target: { written: 3, scaled: false } },
  { operation: ADDON, unit: 'kB', target: { written: 1000, scaled: false } },
];

export async function runProbe(args, { program = probe, flags = [] } = {}) {
  const { code, stdout, stderr } = await runNode([...flags, program, ...args.map(String)], { output: 'capture' });
  if (code !== 0) throw new Error(/^(?:WrongResult \[Error\]: )?(?<what>(?:\w*Error|wrong result).*)$/m.exec(stderr)?.groups.what ?? `exit code ${code}: ${stderr.trim()}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

export const summary = (values) => ({ value: median(values), median: median(values), spread: [minimum(values), maximum(values)] });

/** Ours and nothing in each turn, koffi in every third; the first process of each finds cold files and does not count. */
async function load(way, plan) {
  const seen = { ours: [], koffi: [], [NOTHING]: [] };
  const notes = {};
  for (let turn = 0; turn <= plan.loads; turn += 1) {
    for (const name of Object.keys(seen)) {
      if (notes[name] !== undefined || (name === 'koffi' && turn % 3 !== 0)) continue;
      try {
        const facts = await runProbe(['load', way, name === 'ours' ? 'offheap' : name]);
        if (turn > 0) seen[name].push(facts);
      } catch (error) {
        notes[name] = error.message;
      }
    }
  }
  return { seen, notes };
}

/** What one figure was in the processes of each package, beyond `without`. */
export function cellsOf({ seen, notes }, key, without = 0) {
  const packages = Object.entries(seen).filter(([name]) => name !== NOTHING);
  return Object.fromEntries(packages.map(([name, facts]) =>
    [name, notes[name] === undefined ? summary(facts.map((one) => one[key] - without)) : { note: notes[name] }]));
}

/** @returns {Promise<{ operation: string, cells: object, checks: number }[]>} */
export async function measure(operations, plan, progress) {
  const results = [];
  for (const [way, operation] of Object.entries(WAYS)) {
    const keys = way === 'import' ? { [operation]: 'ms', [RSS]: 'rssMiB', [ADDON]: 'addonKB' } : { [operation]: 'ms' };
    const wanted = Object.keys(keys).filter((name) => operations.includes(name));
    if (wanted.length === 0) continue;
    progress(`load: ${way}, ${plan.loads} processes each`);
    const loaded = await load(way, plan);
    if (loaded.notes[NOTHING] !== undefined) throw new Error(`a process that loads nothing: ${loaded.notes[NOTHING]}`);
    const without = { [RSS]: median(loaded.seen[NOTHING].map(({ rssMiB }) => rssMiB)) };
    for (const name of wanted) results.push({ operation: name, cells: cellsOf(loaded, keys[name], without[name]), checks: loaded.seen.ours.length });
  }
  return results;
}
