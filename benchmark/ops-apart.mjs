// Rows of the group `ops` that are no loops, each in processes of its own. Operations off the main thread: how long they take beside the
// same ones on it, and how long they keep the event loop from turning. And what a non-temporal copy leaves in the caches.
import { fileURLToPath } from 'node:url';
import { runNode } from '../scripts/lib.mjs';
import { mergeCells, median, minimum } from './_checks.mjs';
import { MEMCMP, MEMCPY, MEMSET, STREAM } from './_ops-c.mjs';
import { summary } from './load.mjs';

export const group = 'ops';

/** As `_cache.mjs` calls it. */
const PAGES = 'a byte of each page read';

const cache = fileURLToPath(new URL('_cache.mjs', import.meta.url));
const background = fileURLToPath(new URL('_background.mjs', import.meta.url));
/** A process takes a few seconds. */
const PROCESS_MS_MAX = 120_000;

/** At most 1.1 × the time of the same on the main thread; that, and C, are no peers of it. */
const timeRow = (operation, task, same, library) => ({
  operation,
  unit: 'ms',
  target: null,
  demands: [{ times: 1 / 1.1, of: same }],
  bounds: [same, library],
  probe: [background, 'time', task, 512],
});

/** What is read again takes at most twice as long as with nothing copied in between: a line that comes from memory takes twenty times as long. */
const cacheRow = (sizeMiB, inQuick) => ({
  operation: `a line of 256 KiB, read again after a non-temporal copy of ${sizeMiB} MiB that no cache held`,
  unit: 'ns',
  target: null,
  demands: [{ times: 0.5, of: 'nothing copied' }],
  bounds: ['nothing copied', PAGES, 'copyMemory, normal', MEMCPY, STREAM],
  probe: [cache, sizeMiB],
  isMedian: true,
  inQuick,
});

export const rows = [
  timeRow('copyMemoryAsync 512 MiB', 'copy', 'copyMemory, on the main thread', MEMCPY),
  timeRow('fillAsync 512 MiB', 'fill', 'setMemory, on the main thread', MEMSET),
  timeRow('compareAsync 512 MiB, equal but for the last byte', 'compare', 'compareMemory, on the main thread', MEMCMP),
  {
    operation: 'largest delay of the event loop while copyMemoryAsync copies 1 GiB',
    unit: 'ms',
    target: { written: 5, scaled: false },
    bounds: ['an idle loop'],
    probe: [background, 'delay', 'copy', 1024],
    isMedian: true,
  },
  cacheRow(8, false),
  cacheRow(64, true),
];

async function runProbe(args) {
  const { code, signal, stdout, stderr } = await runNode(args.map(String), { output: 'capture', limitMs: PROCESS_MS_MAX });
  if (code === 0) return JSON.parse(stdout.trim().split('\n').at(-1));
  throw new Error(/^\w*Error.*$/m.exec(stderr)?.[0] ?? `its process ended with ${signal ?? `code ${code}`}`);
}

/** The least, as everywhere; or the median, where each figure is a largest one already. */
function cellOf(runs, isMedian) {
  if (isMedian) return summary(runs.flat());
  return mergeCells(runs.map((ms) => ({ min: minimum(ms), median: median(ms) })));
}

async function measureRow({ operation, probe, isMedian = false }, plan) {
  const runs = [];
  for (let turn = 0; turn < plan.heavyProcesses; turn += 1) runs.push(await runProbe([...probe, plan.turns]));
  const notes = Object.assign({}, ...runs.map((run) => run.notes));
  const cells = Object.fromEntries(Object.entries(notes).map(([name, note]) => [name, { note }]));
  for (const name of Object.keys(runs[0].seen)) cells[name] ??= cellOf(runs.map(({ seen }) => seen[name]), isMedian);
  return { operation, cells, checks: runs.reduce((sum, { checks }) => sum + checks, 0) };
}

/** @returns {Promise<{ operation: string, cells: object, checks: number }[]>} */
export async function measure(operations, plan, progress) {
  const results = [];
  for (const wanted of rows.filter(({ operation }) => operations.includes(operation))) {
    progress(`ops: ${wanted.operation}, ${plan.heavyProcesses} processes`);
    try {
      results.push(await measureRow(wanted, plan));
    } catch (error) {
      results.push({ operation: wanted.operation, cells: { ours: { note: error.message } }, checks: 0 });
    }
  }
  return results;
}
