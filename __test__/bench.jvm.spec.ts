// The benchmark beside peers of the JVM: what is made of JMH's results (a small recorded file), that ours is right in each row, and
// what is said where there is no JDK. Neither a JDK nor Maven is needed: both are small scripts where one is run.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { cellOf, peerCells, readJmh, rowOf, selection } from '../benchmark/_jvm.mjs';
import { figure, summaryLines, table } from '../benchmark/_report.mjs';
import { rows } from '../benchmark/jvm.mjs';
import { demandJdk, pinned } from '../scripts/jdk.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const sample = fileURLToPath(new URL('_jmh.json', import.meta.url));

interface Peer {
  readonly benchmark: string;
  readonly params: { readonly [name: string]: number | string };
}

interface Row {
  readonly operation: string;
  readonly unit: string;
  readonly bytes?: number;
  readonly step?: number;
  readonly family: string;
  readonly peers: { readonly [name: string]: Peer };
  readonly demands?: readonly { readonly times: number; readonly of: string }[];
  readonly cases: { readonly ours: () => { loop: (n: number) => number; expected: (n: number) => number; check: () => void; after?: () => void; dispose?: () => void } };
}

const all = rows as unknown as readonly Row[];
const measured = readJmh(JSON.parse(readFileSync(sample, 'utf8')));

function rowNamed(operation: string): Row {
  const found = all.find((row) => row.operation === operation);
  if (found === undefined) throw new Error(`no row is called ${operation}`);
  return found;
}

const cell = (scoreUnit: string, rawData: number[][]) => cellOf({ primaryMetric: { rawData, scoreUnit } } as never);
const source = (name: string): string => readFileSync(join(root, 'benchmark', 'jvm', 'src', 'main', 'java', 'offheap', 'bench', `${name}.java`), 'utf8');
const onPath = (...homes: string[]): string => homes.map((home) => join(home, 'bin')).join(delimiter);

test("a peer's figure is the least of all windows, its median that of the forks' medians, its spread that of the forks' minima", (t) => {
  t.deepEqual([...measured.keys()], ['Access.getFfm', 'Bulk.compareFfm size=4096', 'Pairs.ffmConfined size=64', 'Pairs.ffmShared size=64', 'Pairs.unsafeZeroed size=64']);
  t.deepEqual(measured.get('Pairs.ffmConfined size=64'), { value: 106.76, median: (666.856 + 308.661) / 2, spread: [106.76, 118.704] });
  t.deepEqual(measured.get('Access.getFfm'), { value: 0.426, median: (209.272 + 0.763) / 2, spread: [0.426, 31.891] });
});

test('times are nanoseconds whatever JMH gives them in, and what is no time is told', (t) => {
  t.deepEqual(cell('us/op', [[2, 1, 3]]), { value: 1000, median: 2000, spread: [1000, 1000] });
  t.deepEqual(cell('ms/op', [[0.5]]), { value: 5e5, median: 5e5, spread: [5e5, 5e5] });
  t.deepEqual(cell('ops/s', [[1]]), { note: 'JMH gave its time in ops/s' });
  t.deepEqual(cell('ns/op', [[], []]), { note: 'JMH gave no window' });
});

test("a row is as the benchmark's rows are, and a peer without a result says so", (t) => {
  const row = rowNamed('pair 64 B, zeroed');
  const found = rowOf(row as never, { ours: { value: 100, median: 110, spread: [100, 105] }, ...peerCells(row as never, measured) } as never, 7);
  t.deepEqual(found, {
    group: 'jvm', operation: 'pair 64 B, zeroed', unit: 'ns', ours: 100,
    peers: { 'FFM confined': 106.76, 'FFM shared': 19_704.825, 'Unsafe + setMemory': 30.714, 'Netty pooled + setZero': null, 'Netty adaptive + setZero': null },
    bounds: [], best: 30.714, ratio: 30.714 / 100, target: null, met: null, targetWritten: null, demands: [], median: 110, spread: [100, 105], cpu: null, peerCpu: {},
    peerMedians: { 'FFM confined': 487.7585, 'FFM shared': (27_175.957 + 20_374.752) / 2, 'Unsafe + setMemory': (227.656 + 34.647) / 2, 'Netty pooled + setZero': null, 'Netty adaptive + setZero': null },
    notes: {
      'Netty pooled + setZero': 'Pairs.nettyPooledZeroed gave no figure: JMH says above why',
      'Netty adaptive + setZero': 'Pairs.nettyAdaptiveZeroed gave no figure: JMH says above why',
    },
    pairNs: {}, checks: 7, error: null,
  });
});

test('a target is so many times what the peer does in the same run', (t) => {
  const row = rowNamed('compare 4 KiB');
  const judged = (ns: number) => rowOf(row as never, { ours: { value: ns, median: ns, spread: [ns, ns] }, ...peerCells(row as never, measured) } as never, 1);
  const ffm = 4096 / 114.739;
  for (const [ns, met] of [[38, true], [39, false]] as const) {
    const found = judged(ns);
    t.deepEqual([found.unit, found.ours, found.target, found.targetWritten, found.met], ['GB/s', 4096 / ns, 3 * ffm, null, met]);
    t.deepEqual(found.demands, [{ times: 3, of: 'FFM', limit: 3 * ffm, met }]);
  }
  t.regex(table([judged(38)] as never), / ≥ 3\.00 × FFM \(107\) +yes /);
  t.deepEqual(summaryLines([judged(38), judged(39)] as never, undefined).slice(0, 1), ['Targets: 1 of 2 met.']);
  // Without the peer nothing can be judged.
  const alone = rowOf(row as never, { ours: { value: 1, median: 1, spread: [1, 1] }, ...peerCells(row as never, new Map()) } as never, 1);
  t.deepEqual([alone.target, alone.met], [null, null]);
  const targets = all.flatMap(({ operation, demands = [] }) => demands.map(({ times, of }) => [operation, times, of]));
  t.deepEqual(targets, [
    ['compare 4 KiB', 3, 'FFM'],
    ...[2, 4, 8].flatMap((width) => [[`swap copy, ${width}-byte words, 1 MiB`, 1.5, 'FFM'], [`swap in place, ${width}-byte words, 1 MiB`, 1.5, 'FFM']]),
  ]);
});

test('JMH is told to run what the rows need', (t) => {
  const some = [rowNamed('pair 64 B, zeroed'), rowNamed('pair 1 KiB, uninitialised')];
  const [pattern = '', ...rest] = selection(some as never);
  t.deepEqual(rest, ['-p', 'size=64,1024']);
  const wanted = new RegExp(pattern);
  for (const name of ['Pairs.ffmConfined', 'Pairs.ffmMalloc', 'Pairs.unsafe', 'Pairs.unsafeZeroed']) t.regex(`offheap.bench.${name}`, wanted);
  for (const name of ['Mixed.unsafe', 'Pairs.unsafeZeroedTwice', 'OtherPairs.unsafe']) t.notRegex(`offheap.bench.${name}`, wanted);
});

test('each peer is a benchmark of the Maven project, which knows the parameters', (t) => {
  let peers = 0;
  for (const { peers: named } of all) {
    for (const { benchmark, params } of Object.values(named)) {
      const [type = '', method = ''] = benchmark.split('.');
      t.regex(source(type), new RegExp(String.raw`@Benchmark\s(?:\s+@\w+\(\w+\)\s)?\s+public \w+ ${method}\(\)`), benchmark);
      for (const [name, value] of Object.entries(params)) t.regex(source(type), new RegExp(String.raw`@Param\(\{[^}]*"${value}"[^}]*\}\)\s+public \w+ ${name};`), benchmark);
      peers += 1;
    }
  }
  t.true(peers >= 100);
  t.deepEqual(Object.keys(pinned()), ['jmh', 'netty', 'agrona']);
});

test('ours is right in each row', (t) => {
  for (const { operation, bytes = 0, step = 1, cases } of all) {
    if (bytes > 2 ** 20) continue; // the same loops as of less, and seconds of them
    const made = cases.ours();
    try {
      t.notThrows(() => made.check(), operation);
      t.is(made.loop(2 * step), made.expected(2 * step), operation);
      t.notThrows(() => made.after?.(), operation);
    } finally {
      made.dispose?.();
    }
  }
});

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'offheap-jvm-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A JDK whose `java` says that it is of this version, and gives the recorded file for JMH's results. */
function fakeJdk(t: ExecutionContext, version: string, hasCompiler = true): string {
  const home = folder(t);
  mkdirSync(join(home, 'bin'));
  const java = `#!/bin/sh
for arg in "$@"; do
  case "$arg" in -version) printf '    java.home = ${home}\\n    java.runtime.version = ${version}+9\\n    java.specification.version = ${version}\\n    java.vendor = Nobody\\n' >&2; exit 0;; esac
  if [ "$last" = -rff ]; then cp '${sample}' "$arg"; fi
  last=$arg
done
`;
  writeFileSync(join(home, 'bin', 'java'), java);
  if (hasCompiler) writeFileSync(join(home, 'bin', 'javac'), '');
  chmodSync(join(home, 'bin', 'java'), 0o755);
  return home;
}

async function benchJvm(env: { readonly [name: string]: string }, ...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [join(root, 'scripts', 'bench-jvm.mjs'), ...args], { env: { ...process.env, NODE_OPTIONS: '', OFFHEAP_SKIP_BUILD: '1', ...env } });
  const code = new Promise((resolve) => child.on('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

test('without a JDK it says in one sentence what it needs and how to name one', async (t) => {
  const { code, stdout, stderr } = await benchJvm({ JAVA_HOME: '', PATH: folder(t) }, '--quick');
  t.deepEqual([code, stdout], [1, '']);
  t.is(stderr, 'npm run bench:jvm needs a JDK of version 22 or newer, and there is none on PATH or in JAVA_HOME: install one, name it by JAVA_HOME=<its folder>, and try again.\n');
  for (const args of [['--fast'], ['--filter']]) t.is((await benchJvm({}, ...args)).stderr, 'Usage: npm run bench:jvm [-- --quick --filter text --json]\n');
});

if (process.platform !== 'win32') {
  test('the JDK of JAVA_HOME is taken if it is new enough, then the first on PATH that is; else it says what there is', async (t) => {
    const [older, old, runtime, right, newer] = [fakeJdk(t, '1.8'), fakeJdk(t, '17'), fakeJdk(t, '25', false), fakeJdk(t, '22'), fakeJdk(t, '26')];
    t.deepEqual(await demandJdk({ JAVA_HOME: right, PATH: onPath(newer) }), { version: 22, home: right, name: 'Nobody 22+9' });
    t.is((await demandJdk({ JAVA_HOME: old, PATH: onPath(runtime, newer, right) })).home, newer);
    t.is((await demandJdk({ PATH: onPath(old, right) })).home, right);
    const refused = (env: { [name: string]: string }) => t.throwsAsync(demandJdk(env), { message: /^npm run bench:jvm needs a JDK of version 22 or newer, and there is only Java / });
    t.regex((await refused({ JAVA_HOME: old, PATH: onPath(older) }))?.message ?? '', /Java 17 in JAVA_HOME and 8 on PATH: install one/);
    t.regex((await refused({ PATH: onPath(runtime) }))?.message ?? '', /Java 25 without a compiler on PATH: install one/);
  });

  test('ours is measured before and after the peers, and all stand in one table', async (t) => {
    const home = fakeJdk(t, '25');
    // Maven, which has nothing to compile here: it writes down the class path where it is told to.
    writeFileSync(join(home, 'bin', 'mvn'), '#!/bin/sh\nfor arg in "$@"; do case "$arg" in -Dmdep.outputFile=*) echo none > "${arg#*=}";; esac; done\n');
    chmodSync(join(home, 'bin', 'mvn'), 0o755);
    const path = `${join(home, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`;
    const { code, stdout, stderr } = await benchJvm({ JAVA_HOME: home, PATH: path }, '--quick', '--json', '--filter', 'pair 64 B, zeroed');
    t.is(code, 0, stderr);
    t.deepEqual(stderr.trimEnd().split('\n'), ['bench: ours: pair 64 B, zeroed', 'bench: JMH: pairs', 'bench: ours: pair 64 B, zeroed']);
    const { versions, rows: found } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { versions: { jdk: string }; rows: { group: string; ours: number; ratio: number; checks: number; peers: { [name: string]: number | null } }[] };
    t.is(versions.jdk, 'Nobody 25+9');
    t.is(found.length, 1);
    const [row] = found;
    t.true((row?.ours ?? 0) > 0 && (row?.checks ?? 0) > 10);
    t.is(row?.ratio, 30.714 / (row?.ours ?? NaN));
    t.is(row?.peers['FFM confined'], 106.76);
    t.regex(stdout, new RegExp(String.raw`^jvm +pair 64 B, zeroed +ns +${figure(row?.ours ?? null)} .* 30\.7 Unsafe \+ setMemory .* FFM confined 107; FFM shared 19,705;`, 'm'));
    const none = await benchJvm({ JAVA_HOME: home, PATH: path }, '--filter', 'no such row');
    t.is(none.code, 1);
    t.regex(none.stderr, /^No row holds 'no such row'\. Usage: /m);
  });
}
