// The count of instructions: what is made of callgrind's files, and that a growth that was planted is found. callgrind, cargo and the
// counted program are small scripts here, which say what each test wants them to.
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { compare, countIn, perOperation, summary, table } from '../benchmark/_instructions.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const made = { rustc: 'rustc 1.88.0', target: 'x86_64-unknown-linux-gnu', libc: 'glibc 2.36', vectors: 'AVX2', valgrind: 'valgrind-3.19.0' };
const figures = (instructions: { readonly [scene: string]: number }) => ({ made, instructions });
const verdicts = (kept: { readonly [scene: string]: number }, now: { readonly [scene: string]: number }) =>
  compare(figures(kept), figures(now)).rows.map(({ scene, verdict }: { scene: string; verdict: string }) => [scene, verdict]);

/** What callgrind writes when it leaves the function that it counts. */
const callgrindFile = (count: number) => `version: 1
creator: callgrind-3.19.0
pid: 10842
cmd:  ./target/release/instructions slab 128 B, LIFO
part: 1

desc: Timerange: Basic block 0 - 848144
desc: Trigger: --dump-after=instructions::counted

positions: line
events: Ir
summary: ${count}

fl=(2) ./csu/../csu/libc-start.c
fn=(2) __libc_start_main@@GLIBC_2.34
392 ${count}

totals: ${count}
`;

test('what a run costs as such is in no figure', (t) => {
  const once = countIn(callgrindFile(2_342_942), 'out.1');
  const twice = countIn(callgrindFile(4_685_854), 'out.2');
  t.is(perOperation({ operations: 4096, once, twice }), 572);
  t.is(perOperation({ operations: 4096, once: once + 10_000, twice: twice + 10_000 }), 572);
  t.is(perOperation({ operations: 1000, once: 1001, twice: 2333 }), 1.33);
  t.throws(() => countIn('version: 1\n', 'out.1'), { message: 'out.1 has no count' });
});

test('a growth of more than three percent is bad, a smaller one is not, and a fall is told', (t) => {
  t.deepEqual(verdicts({ a: 100, b: 100, c: 100, d: 100 }, { a: 103, b: 103.01, c: 97, d: 96.99 }), [['a', 'as kept'], ['b', 'GREW'], ['c', 'as kept'], ['d', 'fell']]);
  t.true(compare(figures({ a: 100, d: 100 }), figures({ a: 103, d: 50 })).isGood);
  const grown = compare(figures({ a: 100, b: 100, d: 100 }), figures({ a: 100, b: 104, d: 50 }));
  t.false(grown.isGood);
  t.deepEqual(summary(grown), ['Grew by more than 3 %: b.', 'Fell by more than 3 %, which `npm run bench:instructions -- --write` keeps: d.']);
  t.deepEqual(table(grown.rows).split('\n'), [
    'scene  kept   now   change  verdict',
    'a       100   100    0.0 %  as kept',
    'b       100   104   +4.0 %  GREW',
    'd       100  50.0  -50.0 %  fell',
  ]);
});

test('a scene without a figure and a figure without a scene are bad, unless only some scenes were counted', (t) => {
  t.deepEqual(verdicts({ a: 1, old: 1 }, { a: 1, new: 1 }), [['a', 'as kept'], ['new', 'not kept'], ['old', 'no such scene']]);
  t.false(compare(figures({ a: 1 }), figures({ a: 1, new: 1 })).isGood);
  t.false(compare(figures({ a: 1, old: 1 }), figures({ a: 1 })).isGood);
  t.true(compare(figures({ a: 1, old: 1 }), figures({ a: 1 }), true).isGood);
  t.deepEqual(compare({ made: null, instructions: {} }, figures({ a: 1 })).differs, []);
});

test('figures that another compiler, libc, processor or valgrind gave are shown and not judged', (t) => {
  for (const [key, value] of Object.entries(made)) {
    const compared = compare({ made: { ...made, [key]: 'another' }, instructions: { a: 100 } }, figures({ a: 200 }));
    t.true(compared.isGood);
    t.deepEqual(compared.rows, [{ scene: 'a', kept: 100, now: 200, change: 100, verdict: 'not judged' }]);
    t.deepEqual(summary(compared), [`Not judged, since the kept figures were made with something else: ${value} here, another there.`]);
  }
});

/** Counts of scenes, of 10 operations each. A run as such costs 7. */
type Counts = { readonly [scene: string]: number };
const RIGHT: Counts = { 'alarm': 100, 'alarm, planted growth': 106, 'pair': 50, 'copy': 20 };

const TOOLS = ['cargo', 'rustc', 'valgrind', 'env'];
const without = (name: string): string[] => TOOLS.filter((tool) => tool !== name);

/** A tree with the command, and with tools that count as they are told. `tools` are those that are there. */
function plant(t: ExecutionContext, counts: Counts, tools = TOOLS): string {
  const tree = mkdtempSync(join(tmpdir(), 'offheap-instructions-'));
  t.teardown(() => rmSync(tree, { recursive: true, force: true }));
  for (const name of ['package.json', 'benchmark', 'scripts']) cpSync(join(root, name), join(tree, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'), 'junction');
  const scenes = Object.entries(counts).map(([scene, count]) => `'${scene}') once=${10 * count + 7}; twice=${20 * count + 7};;`);
  const scripts: { readonly [name: string]: string } = {
    cargo: 'exit 0',
    rustc: 'echo "host: x86_64-unknown-linux-gnu"; echo "release: 1.88.0"',
    env: 'shift 2; exec "$@"', // its first two arguments empty the environment
    valgrind: `
      if [ "$1" = --version ]; then echo valgrind-3.19.0; exit 0; fi
      for arg in "$@"; do case "$arg" in --callgrind-out-file=*) file="\${arg#*=}";; esac; scene="$arg"; done
      case "$scene" in ${scenes.join(' ')} *) exit 9;; esac
      echo "summary: $once" > "$file.1"; echo "summary: $twice" > "$file.2"
      echo "10 operations, AVX2 vectors"`,
  };
  const program = `printf '%s\\n' ${Object.keys(counts).filter((name) => !name.startsWith('alarm')).map((name) => `'${name}'`).join(' ')}`;
  mkdirSync(join(tree, 'tools'));
  mkdirSync(join(tree, 'target', 'release'), { recursive: true });
  for (const [path, script] of [...Object.entries(scripts).filter(([name]) => tools.includes(name)).map(([name, body]) => [join('tools', name), body] as const), [join('target', 'release', 'instructions'), program] as const]) {
    writeFileSync(join(tree, path), `#!/bin/sh\n${script}\n`);
    chmodSync(join(tree, path), 0o755);
  }
  return tree;
}

async function runIn(tree: string, ...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [join(tree, 'scripts', 'bench-instructions.mjs'), ...args], { env: { ...process.env, NODE_OPTIONS: '', PATH: join(tree, 'tools'), CARGO_HOME: tree } });
  const code = new Promise((resolve) => child.on('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

const kept = (tree: string): unknown => JSON.parse(readFileSync(join(tree, 'benchmark', 'instructions.json'), 'utf8'));

if (process.platform === 'linux') {
  test('the command keeps what it counts, finds it again, and fails on a growth that was planted', async (t) => {
    const tree = plant(t, RIGHT);
    const written = await runIn(tree, '--write');
    t.is(written.code, 0, written.stderr);
    const { libc } = (kept(tree) as { made: { libc: string } }).made;
    t.deepEqual(kept(tree), { made: { ...made, libc }, instructions: { pair: 50, copy: 20 } });
    const again = await runIn(tree);
    t.is(again.code, 0, again.stderr);
    t.regex(again.stdout, /^pair +50\.0 +50\.0 +0\.0 % +as kept$/m);

    const grown = plant(t, { ...RIGHT, pair: 52 });
    cpSync(join(tree, 'benchmark', 'instructions.json'), join(grown, 'benchmark', 'instructions.json'));
    const { code, stdout, stderr } = await runIn(grown, '--json');
    t.is(code, 1, stderr);
    t.regex(stdout, /^pair +50\.0 +52\.0 +\+4\.0 % +GREW$/m);
    t.regex(stdout, /^Grew by more than 3 %: pair\.$/m);
    const { rows } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { rows: { scene: string; verdict: string }[] };
    t.deepEqual(rows.map(({ scene, verdict }) => [scene, verdict]), [['pair', 'GREW'], ['copy', 'as kept']]);
    t.is((await runIn(grown, 'copy')).code, 0); // of some scenes, only those
  });

  test('of some scenes --write keeps only those anew', async (t) => {
    const tree = plant(t, { ...RIGHT, pair: 1, copy: 2 });
    writeFileSync(join(tree, 'benchmark', 'instructions.json'), JSON.stringify(figures({ pair: 50, copy: 20 })));
    t.is((await runIn(tree, '--write', 'copy')).code, 0);
    t.deepEqual((kept(tree) as { instructions: unknown }).instructions, { pair: 50, copy: 2 });
  });

  test('nothing is said when the planted growth of the alarm is not found', async (t) => {
    const { code, stdout, stderr } = await runIn(plant(t, { ...RIGHT, 'alarm, planted growth': 100 }));
    t.is(code, 1);
    t.is(stderr, 'The alarm is broken: 100 and 100 instructions should differ by six percent, so it proves nothing.\n');
    t.is(stdout, '');
  });

  test('a scene that fails, tools that are missing, and a wrong option are told in one sentence', async (t) => {
    const wrong = plant(t, RIGHT);
    writeFileSync(join(wrong, 'target', 'release', 'instructions'), '#!/bin/sh\necho broken\n');
    const cases: [string, string[], RegExp][] = [
      [wrong, [], /^The scene 'broken' did not end well \(exit code 9\)/],
      [plant(t, RIGHT, without('valgrind')), [], /^valgrind missing: run `sudo apt-get install valgrind` \(or your system's equivalent\) and try again\.\n$/],
      [plant(t, RIGHT, without('cargo')), [], /^The Rust toolchain \(cargo\) is missing: /],
      [plant(t, RIGHT), ['no such scene'], /^No scene holds 'no such scene'\. Usage: npm run bench:instructions \[-- --write --json text\]\n$/],
      [plant(t, RIGHT), ['--fast'], /^Usage: /],
    ];
    for (const [tree, args, expected] of cases) {
      const { code, stderr } = await runIn(tree, ...args);
      t.is(code, 1);
      t.regex(stderr, expected);
    }
  });
} else {
  test('elsewhere than on Linux it says so', async (t) => {
    const { code, stderr } = await runIn(plant(t, RIGHT));
    t.is(code, 1);
    t.regex(stderr, /^npm run bench:instructions needs Linux, because /);
  });
}
