// @ts-check
// The demo: every scene in turn, on one real file, then the verdict. `npm run demo` is the way in.
import { DirectMemoryManager } from 'offheap';
import { basename } from 'node:path';
import { Checks } from './checks.mjs';
import { readInput } from './input.mjs';
import { Ledger } from './ledger.mjs';
import { Printer, bytesText } from './printer.mjs';
import { scenes as allScenes } from './scenes/index.mjs';

/**
 * Runs one scene to its report. What it throws is a failed check; what it leaves allocated is another.
 * @param {import('./types.js').Scene} scene
 * @param {{ input: import('./types.js').Input, ledger: Ledger, printer: Printer }} stage
 * @returns {Promise<import('./types.js').SceneReport>}
 */
export async function runScene(scene, { input, ledger, printer }) {
  const checks = new Checks(printer);
  /** @type {import('./types.js').Facts} */
  const facts = {};
  printer.heading(scene.name, scene.about);
  const started = performance.now();
  try {
    await scene.run({ input, ledger, printer, checks, facts });
    const { activeBlocks, byAllocator } = DirectMemoryManager.getMemoryStats();
    const { before } = ledger;
    checks.equal('nothing of this scene is left allocated', [activeBlocks, byAllocator.length], [before.activeBlocks, before.byAllocator.length], { quiet: true });
  } catch (error) {
    checks.equal('the scene ran to its end', error, 'no error');
  }
  ledger.freeAll();
  return { name: scene.name, ok: checks.ok, checks: checks.all, ms: performance.now() - started, facts };
}

/** No figure here is good for more than three decimals. @param {string} _key @param {unknown} value */
const rounded = (_key, value) => (typeof value === 'number' ? Math.round(value * 1000) / 1000 : value);

/**
 * @param {{ json?: boolean, input?: import('./types.js').Input, scenes?: readonly import('./types.js').Scene[] }} [options]
 * @returns {Promise<import('./types.js').Report>} also the last line of stdout under `json`; a failed check sets the exit code
 */
export async function demo({ json = false, input = readInput(), scenes = allScenes } = {}) {
  const printer = new Printer(json ? process.stderr : process.stdout);
  const started = performance.now();
  const { PAGE_SIZE, CACHE_LINE_SIZE } = DirectMemoryManager;
  printer.line(`offheap on Node ${process.versions.node}, ${process.platform} ${process.arch}; page ${PAGE_SIZE} B, cache line ${CACHE_LINE_SIZE} B`);
  printer.line(`input: ${basename(input.path)}, ${bytesText(input.bytes.length)} (${input.bytes.length.toLocaleString('en-US')} bytes)`);
  const ledger = new Ledger();
  const reports = [];
  // oxlint-disable-next-line no-await-in-loop -- one after the other, each on an idle machine
  for (const scene of scenes) reports.push(await runScene(scene, { input, ledger, printer }));
  const report = { ok: reports.every(({ ok }) => ok), scenes: reports };
  printer.summary(reports, { ms: performance.now() - started, peak: process.resourceUsage().maxRSS * 1024 });
  if (!report.ok) process.exitCode = 1;
  if (json) process.stdout.write(`${JSON.stringify(report, rounded)}\n`);
  return report;
}
