// Two workers at once, and each of them alone: what a program gains from its second thread. A figure is what both do in a second over what
// one does that works alone.
import { fileURLToPath } from 'node:url';
import { runNode } from '../scripts/lib.mjs';
import { maximum, median, minimum } from './_checks.mjs';
import { ARENA_ROUND, GRANTS_ALIVE, KIB, MIB } from './_scenarios.mjs';

export const group = 'workers';

/** Two times, less what threads of one machine always take from each other. It is no time, so the machine's speed does not scale it. */
const TARGET = { written: 1.8, scaled: false };
/** A row takes a process a few seconds; one that takes longer has workers that wait for each other. */
const PROCESS_MS_MAX = 120_000;
/** Address space only: an arena's pages come with the first touch. No worker cuts half of it in one window. */
const ARENA_TOTAL = 256 * MIB;

/** Where workers find a case, and what they make it of. */
const ours = (make, args, byName) => ({ module: './_crew-ours.mjs', cases: 'ourCases', make, args, byName });
const peer = (cases, make, args) => ({ module: './_allocator-peers.mjs', cases, make, args });

/** malloc is the whole process's; a pool of @thi.ng/malloc, and Buffer's, are the worker's own. */
const peers = (scenario, size, total) => ({
  'koffi malloc/free': peer('koffiCases', scenario, [size]),
  '@thi.ng/malloc': peer('thingCases', scenario, [size, total]),
  'Buffer.allocUnsafe': peer('bufferCases', scenario, [size]),
});

const row = (operation, crews, { step = 1, target = TARGET } = {}) => ({ operation, unit: '×', target, crews, step });

/** An allocator that both workers open by one name, and for each a second one that it has alone. */
const named = (operation, scenario, type, size, total, options) =>
  row(operation, { ours: ours(scenario, [type, size, total], true), ...peers(scenario, size, total) }, options);

export const rows = [
  named('slab 128 B by one name, LIFO', 'lifo', 'slab', 128, MIB),
  named(`slab 128 B by one name, ${GRANTS_ALIVE} alive, replaced in random order`, 'alive', 'slab', 128, MIB, { step: GRANTS_ALIVE }),
  row('arena 64 B by one name, allocated only', { ours: ours('arena', [64, ARENA_TOTAL], true), ...peers('arena', 64, 4 * MIB) }, { step: ARENA_ROUND }),
  named('buddy 4 KiB by one name, LIFO', 'lifo', 'buddy', 4 * KIB, 16 * MIB),
  named('object pool 1 KiB by one name, LIFO', 'lifo', 'pool', KIB, 4 * MIB),
  row('MemoryBlock 1 KiB, LIFO', { ours: ours('memoryBlock', [KIB], false), ...peers('lifo', KIB, MIB) }),
  row('MemoryPool 1 KiB, one a worker, LIFO', { ours: ours('memoryPool', [KIB], false), ...peers('lifo', KIB, MIB) }),
  row('arithmetic, no memory: what the machine has for two', { ours: ours('arithmetic', [], false) }, { step: 2, target: null }),
];

const program = fileURLToPath(new URL('_crews.mjs', import.meta.url));

/** One process of a row: the rates of each crew in pairs per nanosecond, or why there are none. */
async function runProcess({ crews, step }, plan) {
  const { code, signal, stdout, stderr } = await runNode([program, JSON.stringify({ crews, step, plan })], { output: 'capture', limitMs: PROCESS_MS_MAX });
  if (code === 0) return JSON.parse(stdout.trim().split('\n').at(-1));
  const reason = /^\w*Error.*$/m.exec(stderr)?.[0] ?? `its process ended with ${signal ?? `code ${code}`}`;
  return Object.fromEntries(Object.keys(crews).map((name) => [name, { note: reason }]));
}

/** The best windows of all processes for each side, and how far apart the processes' own ratios are. A note of any process wins. */
function mergeRates(found) {
  const noted = found.find(({ note }) => note !== undefined);
  if (noted) return { note: noted.note };
  const [one, two] = ['one', 'two'].map((key) => maximum(found.map((rates) => rates[key])));
  const ratios = found.map((rates) => rates.two / rates.one);
  return {
    value: two / one,
    median: median(found.map((rates) => rates.median)),
    spread: [minimum(ratios), maximum(ratios)],
    pairNs: { one: 1 / one, two: 2 / two },
  };
}

/** @returns {Promise<{ operation: string, cells: object, checks: number }[]>} */
export async function measure(operations, plan, progress) {
  const results = [];
  for (const wanted of rows.filter(({ operation }) => operations.includes(operation))) {
    const found = [];
    for (let turn = 1; turn <= plan.heavyProcesses; turn += 1) {
      progress(`workers: ${wanted.operation}, process ${turn} of ${plan.heavyProcesses}`);
      found.push(await runProcess(wanted, plan));
    }
    const cells = Object.fromEntries(Object.keys(wanted.crews).map((name) => [name, mergeRates(found.map((rates) => rates[name]))]));
    const checks = found.flatMap(Object.values).reduce((sum, one) => sum + (one.checks ?? 0), 0);
    results.push({ operation: wanted.operation, cells, checks });
  }
  return results;
}
