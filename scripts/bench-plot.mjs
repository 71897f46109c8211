// `node scripts/bench-plot.mjs RUN.json DIR` draws the plots of a run that `npm run bench -- --json` printed: RUN.json is its last line, or
// all that it printed. `npm run bench -- --plot DIR` draws those of its own run.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { plotsOf } from '../benchmark/_plots.mjs';
import { Stop, isEntry, main } from './lib.mjs';

/** Writes the plots into a folder, which is made, and gives their paths. */
export function writePlots(run, directory) {
  const plots = Object.entries(plotsOf(run));
  if (plots.length === 0) throw new Stop('The run has none of the rows that are drawn: copies, fills and comparisons of `ops`, and pairs.');
  mkdirSync(directory, { recursive: true });
  return plots.map(([name, svg]) => {
    const path = join(directory, name);
    writeFileSync(path, svg);
    return path;
  });
}

function runIn(path) {
  let printed;
  try {
    printed = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Stop(`${path} cannot be read: ${error.code}`);
  }
  try {
    const run = JSON.parse(printed.trimEnd().split('\n').at(-1));
    if (Array.isArray(run.rows)) return run;
  } catch {
    // said below
  }
  throw new Stop(`The last line of ${path} is no run: it is what \`npm run bench -- --json\` ends with.`);
}

if (isEntry(import.meta.url)) await main(([path, directory, ...more]) => {
  if (path === undefined || directory === undefined || more.length > 0) throw new Stop('Usage: node scripts/bench-plot.mjs RUN.json DIR');
  for (const made of writePlots(runIn(path), directory)) console.log(relative('.', made));
});
