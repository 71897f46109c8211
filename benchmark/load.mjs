// Loading the package in a fresh process. Every figure is a median: one process loads once.
import { fileURLToPath } from 'node:url';
import { runNode } from '../scripts/lib.mjs';
import { maximum, median, minimum } from './_checks.mjs';

export const group = 'load';

const probe = fileURLToPath(new URL('_probe.mjs', import.meta.url));
const WAYS = { import: 'import, fresh process', require: 'require(), fresh process' };
const RSS = 'resident memory added by the import';
const ADDON = 'size of the addon file';

export const rows = [
  ...Object.values(WAYS).map((operation) => ({ operation, unit: 'ms', target: { written: 10, scaled: true } })),
  { operation: RSS, unit: 'MiB', target: null },
  { operation: ADDON, unit: 'MiB', target: null },
];

export async function runProbe(args, { program = probe, flags = [] } = {}) {
  const { code, stdout, stderr } = await runNode([...flags, program, ...args.map(String)], { output: 'capture' });
  if (code !== 0) throw new Error(/^(?:WrongResult \[Error\]: )?(?<what>(?:\w*Error|wrong result).*)$/m.exec(stderr)?.groups.what ?? `exit code ${code}: ${stderr.trim()}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

export const summary = (values) => ({ value: median(values), median: median(values), spread: [minimum(values), maximum(values)] });

/** Ours in each turn and koffi in every third; the first process of each finds cold files and does not count. */
async function load(way, plan) {
  const seen = { ours: [], koffi: [] };
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

function cellsOf({ seen, notes }, key) {
  return Object.fromEntries(Object.entries(seen).map(([name, facts]) =>
    [name, notes[name] === undefined ? summary(facts.map((one) => one[key])) : { note: notes[name] }]));
}

/** @returns {Promise<{ operation: string, cells: object, checks: number }[]>} */
export async function measure(operations, plan, progress) {
  const results = [];
  for (const [way, operation] of Object.entries(WAYS)) {
    const keys = way === 'import' ? { [operation]: 'ms', [RSS]: 'rssMiB', [ADDON]: 'addonMiB' } : { [operation]: 'ms' };
    const wanted = Object.keys(keys).filter((name) => operations.includes(name));
    if (wanted.length === 0) continue;
    progress(`load: ${way}, ${plan.loads} processes each`);
    const loaded = await load(way, plan);
    for (const name of wanted) results.push({ operation: name, cells: cellsOf(loaded, keys[name]), checks: loaded.seen.ours.length });
  }
  return results;
}
