// The benchmark's rows about resident memory and about loading: what is asked of them, and that what is read back is checked. No figure of
// the library's is asserted.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { judge } from '../benchmark/_judge.mjs';
import { FREED, liveBytes, mayStayMiB, pagesOf } from '../benchmark/_resident-rules.mjs';
import { cellsOf } from '../benchmark/load.mjs';
import { bench, plant, reportOf, root } from './_bench.js';

const MIB = 1024 * 1024;

test('what stays after a trim is judged by the bytes that live, or by the pages that they stand on', async (t) => {
  const { code, stdout, stderr } = await bench(root, '--quick', '--json', '--filter', '63 of 64 freed and trimmed');
  t.is(code, 0, stderr);
  const [together, scattered, ...more] = reportOf(stdout).rows;
  t.deepEqual([together?.error, scattered?.error, more], [null, null, []]);
  t.is(together?.targetWritten, (1.3 * 6_250_000) / MIB + 16);
  t.true((scattered?.targetWritten ?? 0) > (together?.targetWritten ?? Infinity));
  for (const row of [together, scattered]) {
    t.deepEqual([row?.group, row?.unit], ['memory', 'MiB']);
    t.deepEqual(Object.keys(row?.peers ?? {}), ['koffi malloc/free, malloc_trim', 'Buffer.allocUnsafeSlow, dropped']);
    t.is(row?.target, row?.targetWritten); // no machine scales it
    t.is(row?.met, (row?.ours ?? Infinity) <= (row?.target ?? 0));
    t.true((row?.checks ?? 0) >= 2 * FREED.survivors);
  }
});

test('a survivor whose bytes are not its own fails the row', async (t) => {
  const tree = plant(t, `
    import { MemoryBlock } from './right.js';
    export * from './right.js';
    Object.defineProperty(MemoryBlock.prototype, 'getUint8', { value: () => 0 });`);
  const { code, stdout, stderr } = await bench(tree, '--quick', '--json', '--filter', 'trimmed, survivors scattered');
  t.is(code, 1, stderr);
  const [row] = reportOf(stdout).rows;
  t.deepEqual([row?.ours, row?.target, row?.met, row?.error], [null, null, null, 'wrong result: the bytes of number 0 are its own']);
});

test('pages are counted once, and memory over two of them counts for both', (t) => {
  t.is(pagesOf([0, 1000, 3000], 1000, 4096), 1);
  t.is(pagesOf([3097], 1000, 4096), 2);
  t.is(pagesOf([3096, 8192], 1000, 4096), 2);
  t.is(pagesOf([4096 * 5 + 4095], 4098, 4096), 3);
  t.is(mayStayMiB(0), 16);
  t.is(mayStayMiB(10 * MIB), 29);
  t.is(liveBytes, 6_250_000);
});

test('a target that comes with the result is the one that counts', (t) => {
  const cell = { value: 20, median: 20, spread: [20, 20] };
  const row = { operation: 'x', unit: 'MiB', target: { written: 10, scaled: false } };
  const judged = (result: object): unknown[] => {
    const { target, targetWritten, met } = judge('memory', row as never, { cells: { ours: cell }, checks: 1, ...result } as never, 3);
    return [target, targetWritten, met];
  };
  t.deepEqual(judged({}), [10, 10, false]);
  t.deepEqual(judged({ target: { written: 30, scaled: false } }), [30, 30, true]);
});

test('of loading, the resident memory is what a process has beyond one that loads nothing', async (t) => {
  const seen = { ours: [{ rssMiB: 45 }, { rssMiB: 44 }, { rssMiB: 46 }], koffi: [], nothing: [{ rssMiB: 40 }] };
  t.deepEqual(cellsOf({ seen, notes: { koffi: 'did not load' } } as never, 'rssMiB', 40), {
    ours: { value: 5, median: 5, spread: [4, 6] },
    koffi: { note: 'did not load' },
  });
  const { code, stdout, stderr } = await bench(root, '--quick', '--json', '--filter', 'load resident');
  t.is(code, 0, stderr);
  const [row, ...more] = reportOf(stdout).rows;
  t.deepEqual([row?.error, row?.unit, row?.target, Object.keys(row?.peers ?? {}), more], [null, 'MiB', 3, ['koffi'], []]);
  t.true((row?.ours ?? Infinity) < 30); // a process has more than that before it loads anything
});

test('the size of the addon is that of the file that ships, in thousands of bytes', async (t) => {
  const addons = readdirSync(join(root, 'native')).filter((name) => name.endsWith('.node'));
  const { code, stdout, stderr } = await bench(root, '--quick', '--json', '--filter', 'load size of the addon');
  t.is(code, 0, stderr);
  const [row] = reportOf(stdout).rows;
  t.deepEqual([row?.unit, row?.target], ['kB', 1000]);
  t.deepEqual(addons.map((name) => statSync(join(root, 'native', name)).size / 1000), [row?.ours]);
});
