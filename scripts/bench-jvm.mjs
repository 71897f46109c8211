// `npm run bench:jvm`: ours next to peers of the JVM, by JMH. `--quick` takes some minutes, `--filter text` picks rows whose "jvm operation"
// holds the text, `--json` ends with one line for machines. It needs a JDK and Maven. See benchmark/README.md.
import { createRequire } from 'node:module';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensure } from './ensure.mjs';
import { compile, demandJdk, pinned } from './jdk.mjs';
import { Stop, inRoot, main, optionsOf, run } from './lib.mjs';

const USAGE = 'Usage: npm run bench:jvm [-- --quick --filter text --json]';

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  filter: { type: 'string', default: '' },
};

/** What the measured JVMs are started with: bounds checks are on, the collector is the one that disturbs least, Netty may use all it can. */
const flags = (version) => [
  '-Xms2g', '-Xmx2g', '-XX:+UseSerialGC', '-XX:MaxDirectMemorySize=4g', '--enable-native-access=ALL-UNNAMED',
  ...(version >= 23 ? ['--sun-misc-unsafe-memory-access=allow'] : []),
  '--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED', '--add-opens=java.base/java.nio=ALL-UNNAMED',
  '-Dio.netty.leakDetection.level=disabled', '-Dio.netty.tryReflectionSetAccessible=true',
  '-Djmh.executor=CUSTOM', '-Djmh.executor.class=offheap.bench.EventLoopThreads',
];

/** Runs JMH and reads its results; what it prints goes to stderr when something failed. */
async function runJmh({ home, version }, classPath, args, scratch) {
  const results = join(scratch, 'results.json');
  rmSync(results, { force: true });
  const options = [...args, '-foe', 'false', '-rf', 'json', '-rff', results, '-jvmArgs', flags(version).join(' ')];
  const { code, stdout, stderr } = await run(join(home, 'bin', 'java'), ['-cp', classPath, 'org.openjdk.jmh.Main', ...options], { output: 'capture' });
  const failures = [...stdout.matchAll(/^(?:java|javax|org|io|offheap)\.\S*(?:Exception|Error)\b.*$/gm)].map(([line]) => line);
  for (const line of failures) console.error(`bench: JMH: ${line}`);
  if (code !== 0) throw new Stop(`JMH ended with code ${code}: ${stdout.slice(-2000)}${stderr.slice(-2000)}`);
  return JSON.parse(readFileSync(results, 'utf8'));
}

const progress = (text) => console.error(`bench: ${text}`);

async function bench({ quick, json, filter }, jdk, scratch) {
  const { collectJvm } = await import('../benchmark/_jvm.mjs');
  const report = await import('../benchmark/_report.mjs');
  const require = createRequire(import.meta.url);
  const { offheap, node, v8, glibc } = report.versions(require(inRoot('package.json')).version);
  const about = { commit: await report.commit(), machine: report.machine(), versions: { offheap, node, v8, glibc, jdk: jdk.name, ...pinned() } };
  const classPath = await compile(jdk, join(scratch, 'class-path.txt'));
  const started = performance.now();
  const rows = await collectJvm({ quick, filter, progress, runJmh: (options) => runJmh(jdk, classPath, options, scratch) });
  if (rows.length === 0) throw new Stop(`No row holds '${filter}'. ${USAGE}`);
  const seconds = Math.round((performance.now() - started) / 1000);
  const { versions, machine } = about;
  console.log(`offheap ${versions.offheap}, commit ${about.commit ?? 'unknown'}, Node ${versions.node}; ${versions.jdk}, JMH ${versions.jmh}, Netty ${versions.netty}, Agrona ${versions.agrona}`);
  console.log(`${machine.cpu}, ${machine.cpus} CPUs, ${machine.memoryGiB} GiB, ${machine.system}, load ${machine.load}; ${quick ? 'quick' : 'full'}, ${seconds} s\n`);
  console.log(report.table(rows));
  console.log(`\n${report.summaryLines(rows).join('\n')}`);
  if (json) console.log(JSON.stringify({ ...about, quick, seconds, rows }));
  return rows.every(({ error }) => error === null);
}

await main(async (args) => {
  const options = optionsOf(args, OPTIONS, USAGE);
  const jdk = await demandJdk();
  await ensure();
  const scratch = mkdtempSync(join(tmpdir(), 'offheap-jvm-')); // two runs at a time do not meet
  try {
    return await bench(options, jdk, scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});
