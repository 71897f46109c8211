// A synchronous loop of allocate 64 KiB, view, store, free, without a turn of the event loop: how far resident memory rises, and what
// an iteration costs on average, garbage collection included. Each figure comes from processes that do nothing else.
import { runProbe, summary } from './load.mjs';

export const group = 'memory';

const target = { written: typeof ArrayBuffer.prototype.transfer === 'function' ? 100 : 300, scaled: false };
const PEAK = 'peak of resident memory, 64 KiB view + store + free without a loop turn';
const MEAN = 'mean of that loop, garbage collection included';

export const rows = [
  { operation: PEAK, unit: 'MiB', target },
  { operation: MEAN, unit: 'ns', target: null },
];

const PROBES = { 'ours': 'ours', 'koffi malloc/view/free': 'koffi', 'Buffer.allocUnsafeSlow': 'Buffer' };

/** @returns {Promise<{ operation: string, cells: object, checks: number }[]>} */
export async function measure(operations, plan, progress) {
  const cells = { [PEAK]: {}, [MEAN]: {} };
  for (const [name, probe] of Object.entries(PROBES)) {
    progress(`memory: ${name}, ${plan.iterations.toLocaleString('en-US')} iterations`);
    try {
      const facts = [];
      for (let turn = 0; turn < plan.heavyProcesses; turn += 1) facts.push(await runProbe(['memory', probe, plan.iterations]));
      cells[PEAK][name] = summary(facts.map(({ peakMiB }) => peakMiB));
      cells[MEAN][name] = summary(facts.map(({ ns }) => ns));
    } catch (error) {
      cells[PEAK][name] = { note: error.message };
      cells[MEAN][name] = { note: error.message };
    }
  }
  return operations.map((operation) => ({ operation, cells: cells[operation], checks: plan.iterations }));
}
