// The alarm is tested: breaches planted in a copy of the tree must be reported, harmless look-alikes must not.
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inRoot, runNode } from '../lib.mjs';
import { cycleFiles, plants } from './plants.mjs';

/**
 * @param {(directory: string) => string[]} findBreaches
 * @returns {Promise<{ passed: number, failures: string[] }>} plants that behaved, and what the others did wrong
 */
export async function selfTest(findBreaches) {
  const copy = mkdtempSync(join(tmpdir(), 'offheap-rooms-'));
  try {
    for (const name of ['crates', 'facade', 'index.ts']) {
      if (existsSync(inRoot(name))) cpSync(inRoot(name), join(copy, name), { recursive: true });
    }
    const known = new Set(findBreaches(copy));
    const outcomes = plants.map((plant) => ({ plant, complaint: tryPlant(copy, plant, known, findBreaches) }));
    outcomes.push({ plant: { name: 'a circle of type imports, found by the linter' }, complaint: await lintCycle(copy) });
    const failures = outcomes.filter(({ complaint }) => complaint !== null)
      .map(({ plant, complaint }) => `planted: ${plant.name}: ${complaint}`);
    return { passed: outcomes.length - failures.length, failures };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Plants one thing, compares what is reported with what must be, and takes it out again. */
function tryPlant(copy, { file, text, edit, expect }, known, findBreaches) {
  const path = join(copy, file);
  const before = existsSync(path) ? readFileSync(path, 'utf8') : null;
  mkdirSync(dirname(path), { recursive: true });
  if (edit) writeFileSync(path, edit(before ?? ''));
  else appendFileSync(path, text);
  const fresh = findBreaches(copy).filter((breach) => !known.has(breach));
  if (before === null) rmSync(path);
  else writeFileSync(path, before);
  if (expect === null) return fresh.length === 0 ? null : `wrongly reported: ${fresh.join(' | ')}`;
  return fresh.some((breach) => expect.test(breach)) ? null : `not reported as ${expect}; reported: ${fresh.join(' | ') || 'nothing'}`;
}

/** The linter's circle rule is silent when it is configured wrongly, so it gets an alarm test as well. */
async function lintCycle(copy) {
  const folder = join(copy, 'cycle');
  mkdirSync(folder);
  cpSync(inRoot('.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  for (const [name, text] of Object.entries(cycleFiles)) writeFileSync(join(folder, name), text);
  const oxlint = inRoot('node_modules', 'oxlint', 'bin', 'oxlint');
  const { code, stdout } = await runNode([oxlint, '.'], { cwd: folder, output: 'capture' });
  return code !== 0 && stdout.includes('no-cycle') ? null : `oxlint said: ${stdout}`;
}
