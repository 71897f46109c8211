// The plots of a run: well-formed, the same for the same figures, with every figure at its place. The run is a recorded one.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { pairPlot, pairsIn, plotsOf, speedPlot, speedsIn } from '../benchmark/_plots.mjs';
import { COLOURS, decades, logScale, numbered } from '../benchmark/_svg.mjs';
import { bench, root } from './_bench.js';
import { runNode } from '../scripts/lib.mjs';

const recorded = readFileSync(join(root, '__test__', '_bench-run.json'), 'utf8');

interface Run {
  commit: string | null;
  machine: { cpu: string };
  rows: { group: string; operation: string; unit: string; ours: number | null; peers: { [name: string]: number | null } }[];
}

const run = (): Run => JSON.parse(recorded) as Run;

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'offheap-plots-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** What is wrong with a text as XML: tags that do not nest, attributes without quotes, characters that mean something else. */
function flawsOf(xml: string): string[] {
  const open: string[] = [];
  const flaws: string[] = [];
  let rest = xml.trim();
  while (rest !== '') {
    const [whole, closing, name, attributes, alone] = /^<(\/?)([a-zA-Z]+)((?: [a-zA-Z][a-zA-Z0-9-]*="[^"<&]*(?:&(?:amp|lt|gt|quot);[^"<&]*)*")*)(\/?)>/.exec(rest) ?? [];
    if (whole !== undefined) {
      if (closing === '/' && (open.pop() !== name || attributes !== '' || alone !== '')) flaws.push(`</${name}> ends another`);
      if (closing === '' && alone === '') open.push(String(name));
      rest = rest.slice(whole.length);
      if (open.length === 0 && rest !== '') return [...flaws, 'more than one root'];
    } else {
      const [text] = /^[^<&]*(?:&(?:amp|lt|gt|quot);[^<&]*)*/.exec(rest) ?? [''];
      if (text === '') return [...flaws, `what is this: ${rest.slice(0, 40)}`];
      rest = rest.slice(text.length);
    }
  }
  return open.length === 0 ? flaws : [...flaws, `${open.join(', ')} left open`];
}

/** The points of each path of a series, in the order of the picture: where a line turns, or where a marker begins. */
function pathsOf(svg: string, kind: 'line' | 'marks', key: string): number[][][] {
  const paths = [...svg.matchAll(new RegExp(`<path class="${kind} ${key}" d="([^"]*)"/>`, 'g'))].map(([, d]) => String(d));
  return paths.map((d) => [...d.matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]));
}

/** Where the numbers of an axis stand: x and y of each text of that class. */
function placesOf(svg: string, content: string): { x: number; y: number }[] {
  return [...svg.matchAll(/<text x="([^"]+)" y="([^"]+)" class="tick"[^>]*>([^<]*)</g)]
    .filter(([, , , found]) => found === content).map(([, x, y]) => ({ x: Number(x), y: Number(y) }));
}

test('both pictures are well-formed, whatever the machine is called, and the same for the same figures', (t) => {
  const odd = run();
  odd.machine.cpu = 'A & B <"C"> \'D\'';
  for (const svg of [...Object.values(plotsOf(run() as never)), ...Object.values(plotsOf(odd as never))]) t.deepEqual(flawsOf(svg), []);
  t.deepEqual(plotsOf(run() as never), plotsOf(run() as never));
  t.deepEqual(Object.keys(plotsOf(run() as never)), ['throughput.svg', 'pairs.svg']);
  for (const broken of ['<a><b></a></b>', '<a x=1/>', '<a>&</a>', '<a/><b/>', '<a>', '<a b="<"/>']) t.not(flawsOf(broken).length, 0, broken);
});

test('of each series there is one line in each panel, with a point for each size', (t) => {
  const svg = speedPlot(run() as never) ?? '';
  const counts = (key: string): number[] => pathsOf(svg, 'line', key).map((points) => points.length);
  t.deepEqual(counts('ours'), [4, 3, 3]); // copy, fill, compare
  t.deepEqual(counts('buffer'), [4, 3, 3]);
  t.deepEqual(counts('library'), [4, 3, 3]);
  t.deepEqual(counts('stream'), [2, 1]);
  for (const key of ['ours', 'buffer', 'library', 'stream']) t.deepEqual(pathsOf(svg, 'marks', key).map((points) => points.length), counts(key), key);
});

test('of each series there is one path of markers, with one for each row that has its figure', (t) => {
  const svg = pairPlot(run() as never) ?? '';
  const counts = ['ours', 'koffi', 'buffer', 'thing', 'typed'].map((key) => pathsOf(svg, 'marks', key).map((points) => points.length));
  t.deepEqual(counts, [[6], [6], [6], [4], [1]]);
  t.deepEqual(pairsIn(run().rows as never).map(({ title, rows }) => [title, rows.length]), [['Blocks', 2], ['Memory pools', 1], ['Named allocators', 3]]);
});

test('10 GB/s at 4 KiB stand where the lines of 10 and of 4 KiB cross', (t) => {
  const known = run();
  for (const row of known.rows) if (row.operation === 'copy 4 KiB') row.ours = 10;
  const svg = speedPlot(known as never) ?? '';
  const [x, y] = pathsOf(svg, 'line', 'ours')[0]?.[1] ?? [];
  t.is(x, placesOf(svg, '4 KiB')[0]?.x);
  t.is(y, (placesOf(svg, '10')[0]?.y ?? NaN) - 4); // a number's foot is below the middle of its line
});

test('50 ns stand above the number 50', (t) => {
  const known = run();
  for (const row of known.rows) if (row.operation === 'slab 128 B, LIFO') row.ours = 50;
  const svg = pairPlot(known as never) ?? '';
  const [x] = pathsOf(svg, 'marks', 'ours')[0]?.[3] ?? [];
  t.is(Math.round(((x ?? NaN) + 4) * 10), Math.round((placesOf(svg, '50')[0]?.x ?? 0) * 10)); // a circle begins at its left
});

test('nanoseconds become a rate, and a figure that is missing has no point', (t) => {
  const rows = [{ group: 'ops', operation: 'copy 64 B', unit: 'ns', ours: 32, peers: { 'Buffer.copy, ranges': null, 'memcpy in C': 16 } }];
  t.deepEqual(speedsIn(rows as never), [
    { panel: 'copy', key: 'ours', bytes: 64, speed: 2 },
    { panel: 'copy', key: 'library', bytes: 64, speed: 4 },
  ]);
  t.deepEqual(flawsOf(speedPlot({ ...run(), commit: null, rows } as never) ?? ''), []);
  t.deepEqual(plotsOf({ ...run(), rows: [{ group: 'load', operation: 'import', unit: 'ms', ours: 3, peers: {} }] } as never), {});
});

test('scales: equal factors are equally long, and ticks reach from below the least to above the most', (t) => {
  const scale = logScale(1, 10_000, 100, 500);
  t.deepEqual([1, 100, 10_000].map((value) => Math.round(scale(value))), [100, 300, 500]);
  t.deepEqual(decades(0.03, 4), [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5]);
  t.deepEqual(decades(20, 100), [20, 50, 100]);
  t.deepEqual(decades(10, 10), [10, 20]);
  t.deepEqual(numbered(decades(0.03, 4)), [0.1, 1]);
  t.deepEqual(numbered([2, 5, 10]), [2, 5, 10]);
});

/** How bright a colour is to the eye, from 0 to 1. */
function brightness(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((from) => parseInt(colour.slice(from, from + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const contrast = (a: string, b: string): number => {
  const [dark = 0, light = 0] = [brightness(a), brightness(b)].toSorted((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
};

test('text and series stand out from a light page and from a dark one', (t) => {
  const { paper, grid, ...inks } = COLOURS;
  for (const which of [0, 1] as const) {
    for (const [name, both] of Object.entries(inks)) t.true(contrast(both[which], paper?.[which] ?? '') >= 4.5, `${name} ${which}`);
    t.true(contrast(grid?.[which] ?? '', paper?.[which] ?? '') > 1.3);
    for (const svg of Object.values(plotsOf(run() as never))) t.true(svg.includes(paper?.[which] ?? 'none'));
  }
});

const script = (...args: string[]): ReturnType<typeof runNode> => runNode([join(root, 'scripts', 'bench-plot.mjs'), ...args], { output: 'capture' });

test('the script draws the plots of what a run printed, and says what is no run', async (t) => {
  const home = folder(t);
  const printed = join(home, 'printed.txt');
  writeFileSync(printed, `a table\n\n${JSON.stringify(run())}\n`);
  const { code, stderr } = await script(printed, join(home, 'plots'));
  t.is(code, 0, stderr);
  t.deepEqual(readdirSync(join(home, 'plots')), ['pairs.svg', 'throughput.svg']);
  t.is(readFileSync(join(home, 'plots', 'pairs.svg'), 'utf8'), pairPlot(run() as never) ?? '');
  writeFileSync(printed, 'a table\n');
  t.regex((await script(printed, home)).stderr, /^The last line of .* is no run/);
  writeFileSync(printed, JSON.stringify({ ...run(), rows: [] }));
  t.regex((await script(printed, home)).stderr, /^The run has none of the rows that are drawn/);
  t.regex((await script(join(home, 'gone'), home)).stderr, /cannot be read: ENOENT\n$/);
  t.regex((await script(printed)).stderr, /^Usage: /);
});

test('npm run bench -- --plot draws its own run', async (t) => {
  const home = join(folder(t), 'new');
  const { code, stdout, stderr } = await bench(root, '--quick', '--plot', home, '--filter', 'alloc pair 64 B, LIFO');
  t.is(code, 0, stderr);
  t.true(existsSync(join(home, 'pairs.svg')) && !existsSync(join(home, 'throughput.svg')));
  t.notRegex(stdout, /"rows":/);
  t.deepEqual(flawsOf(readFileSync(join(home, 'pairs.svg'), 'utf8')), []);
});
