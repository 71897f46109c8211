// Resident memory: how far it rises in a loop that makes views, what of it stays after most blocks were freed, and what many live blocks
// cost beside their bytes. Each figure comes from processes that do nothing else.
import { fileURLToPath } from 'node:url';
import { runProbe, summary } from './load.mjs';
import { FREED, LIVE, MIB, liveBytes, mayStayMiB } from './_resident-rules.mjs';

export const group = 'memory';

const inWords = (count) => count.toLocaleString('en-US');

// === A synchronous loop of allocate 64 KiB, view, store, free, without a turn of the event loop ===

const target = { written: typeof ArrayBuffer.prototype.transfer === 'function' ? 100 : 300, scaled: false };
const PEAK = 'peak of resident memory, 64 KiB view + store + free without a loop turn';
const MEAN = 'mean of that loop, garbage collection included';

const LOOPS = { 'ours': 'ours', 'koffi malloc/view/free': 'koffi', 'Buffer.allocUnsafeSlow': 'Buffer' };

async function measureLoop(operations, plan, progress) {
  const figures = { [PEAK]: ({ peakMiB }) => peakMiB, [MEAN]: ({ ns }) => ns };
  const wanted = operations.filter((operation) => Object.hasOwn(figures, operation));
  if (wanted.length === 0) return [];
  const facts = await ask(LOOPS, plan, (name) => {
    progress(`memory: ${name}, ${inWords(plan.iterations)} iterations`);
    return runProbe(['memory', LOOPS[name], plan.iterations]);
  });
  return wanted.map((operation) => ({ operation, cells: cellsOf(facts, figures[operation]), checks: plan.iterations }));
}

/** What each one's processes tell, or why they do not. */
async function ask(names, plan, probe) {
  const told = {};
  for (const name of Object.keys(names)) {
    try {
      told[name] = [];
      for (let turn = 0; turn < plan.heavyProcesses; turn += 1) told[name].push(await probe(name));
    } catch (error) {
      told[name] = { note: error.message };
    }
  }
  return told;
}

const cellsOf = (told, figure) =>
  Object.fromEntries(Object.entries(told).map(([name, facts]) => [name, facts.note === undefined ? summary(facts.map(figure)) : { note: facts.note }]));

// === What stays ===

/** One collector thread and a young heap of fixed size: both else come and go by many MiB that have nothing to do with what is measured. */
const STEADY = ['--expose-gc', '--single-threaded-gc', '--min-semi-space-size=1', '--max-semi-space-size=1'];
const resident = fileURLToPath(new URL('_resident.mjs', import.meta.url));

const PLAIN = 'as many plain objects';

const afterTrim = (which, limitMiB) => ({
  operation: `${inWords(FREED.count)} × ${FREED.size} B, 63 of 64 freed and trimmed, survivors ${which}`,
  unit: 'MiB',
  limitMiB,
  inQuick: which === 'together',
  task: (who) => ['freed', who, which],
  figure: ({ bytes }) => bytes / MIB,
  names: { 'ours': 'ours', 'koffi malloc/free, malloc_trim': 'koffi', 'Buffer.allocUnsafeSlow, dropped': 'Buffer' },
});

const ofLive = (what, written, names) => ({
  operation: `${inWords(LIVE.count)} live ${what} of ${LIVE.size} B, each beside its bytes`,
  unit: 'B',
  target: { written, scaled: false },
  inQuick: what === 'blocks',
  bounds: [PLAIN],
  task: (who) => ['alive', who],
  figure: ({ bytesEach }) => bytesEach,
  names: { ...names, [PLAIN]: 'plain' },
});

const residents = [
  afterTrim('together', () => mayStayMiB(liveBytes)),
  afterTrim('scattered', ({ pagesBytes }) => mayStayMiB(pagesBytes)),
  ofLive('blocks', 56, { 'ours': 'ours', 'koffi malloc': 'koffi', 'new ArrayBuffer': 'ArrayBuffer' }),
  ofLive('grants of a slab', 48, { ours: 'slab' }),
];

async function measureResident({ operation, task, figure, names, limitMiB }, plan, progress) {
  const told = await ask(names, plan, (name) => {
    progress(`memory: ${name}, ${operation}`);
    return runProbe(task(names[name]), { program: resident, flags: STEADY });
  });
  const result = { operation, cells: cellsOf(told, figure), checks: Object.values(told).flat().reduce((sum, { checks = 0 }) => sum + checks, 0) };
  if (limitMiB === undefined || told.ours.note !== undefined) return result;
  return { ...result, target: { written: limitMiB(told.ours[0]), scaled: false } }; // the pages are known only then
}

export const rows = [
  { operation: PEAK, unit: 'MiB', target },
  { operation: MEAN, unit: 'ns', target: null },
  ...residents,
];

/** @returns {Promise<{ operation: string, cells: object, checks: number, target?: object }[]>} */
export async function measure(operations, plan, progress) {
  const results = await measureLoop(operations, plan, progress);
  for (const row of residents.filter(({ operation }) => operations.includes(operation))) results.push(await measureResident(row, plan, progress));
  return results;
}
