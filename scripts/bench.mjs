// `npm run bench`: ours next to peers, in several processes. `--quick` takes a minute, `--filter text` picks rows whose
// "group operation" holds the text, `--json` ends with one line for machines, `--plot DIR` draws plots there. See benchmark/README.md.
import { createRequire } from 'node:module';
import { writePlots } from './bench-plot.mjs';
import { ensure } from './ensure.mjs';
import { Stop, inRoot, main, optionsOf } from './lib.mjs';
import { installPeers } from './peers.mjs';

const USAGE = 'Usage: npm run bench [-- --quick --filter text --json --plot DIR]';

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  filter: { type: 'string', default: '' },
  plot: { type: 'string' },
};

const progress = (text) => console.error(`bench: ${text}`);

await main(async (args) => {
  const { quick, json, filter, plot } = optionsOf(args, OPTIONS, USAGE);
  await ensure();
  if (process.env.OFFHEAP_SKIP_BUILD !== '1') await installPeers({ progress });
  const { compileAll } = await import('../benchmark/_compiled.mjs');
  await compileAll();
  const { collect } = await import('../benchmark/_collect.mjs');
  const report = await import('../benchmark/_report.mjs');
  const require = createRequire(import.meta.url);
  const versionOf = (...path) => require(inRoot(...path, 'package.json')).version;

  const about = {
    commit: await report.commit(),
    machine: report.machine(),
    versions: report.versions(versionOf(), versionOf('node_modules', 'benny')),
  };
  const started = performance.now();
  const { rows, scale } = await collect({ quick, filter, progress });
  if (rows.length === 0) throw new Stop(`No row holds '${filter}'. ${USAGE}`);
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`offheap ${about.versions.offheap}, commit ${about.commit ?? 'unknown'}, Node ${about.versions.node}, koffi ${about.versions.koffi}`);
  console.log(`${about.machine.cpu}, ${about.machine.cpus} CPUs, ${about.machine.memoryGiB} GiB, ${about.machine.system}, load ${about.machine.load}; ${quick ? 'quick' : 'full'}, ${seconds} s\n`);
  console.log(report.table(rows));
  console.log(`\n${report.summaryLines(rows, scale).join('\n')}`);
  const run = { ...about, scale, quick, seconds, rows };
  if (plot !== undefined) for (const path of writePlots(run, plot)) progress(`drew ${path}`);
  if (json) console.log(JSON.stringify(run));
  return rows.every(({ error }) => error === null);
});
