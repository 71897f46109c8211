// The benchmark's memory operations: what stands beside ours, and how a row is judged. No time is asserted.
import test from 'ava';
import { judge } from '../benchmark/_judge.mjs';
import { bench, benchWith, plant, reportOf, root } from './_bench.js';

const C = ['memcpy in C', 'memmove in C', 'streaming stores in C'];

test('loops in C stand beside ours, checked as every peer, and are no peer', async (t) => {
  const { code, stdout, stderr } = await bench(root, '--quick', '--json', '--filter', 'ops copy 1 MiB');
  t.is(code, 0, stderr);
  const [row] = reportOf(stdout).rows;
  t.deepEqual([row?.error, row?.bounds], [null, C]);
  for (const name of C) {
    const value = row?.peers[name] ?? null;
    t.true(value === null ? typeof row?.notes[name] === 'string' : value > 0, name);
  }
  const peers = Object.entries(row?.peers ?? {}).filter(([name]) => !C.includes(name)).map(([, value]) => Number(value));
  t.true(peers.length >= 3);
  t.is(row?.best, Math.max(...peers));
  t.true((row?.checks ?? 0) >= 2 * 7);
});

test('without a C compiler its cells say so, and the others are as ever', async (t) => {
  const { code, stdout, stderr } = await benchWith({ PATH: '' }, plant(t), '--quick', '--json', '--filter', 'ops copy 1 MiB');
  t.is(code, 0, stderr);
  const [row] = reportOf(stdout).rows;
  t.deepEqual(C.map((name) => row?.notes[name]), C.map(() => 'the loops in C are not compiled: cc is missing or refused them'));
  t.true((row?.ours ?? 0) > 0 && (row?.best ?? 0) > 0);
});

const cell = (value: number): object => ({ value, median: value, spread: [value, value] });

test('a bound is shown and never the best peer', (t) => {
  const row = { operation: 'copy', unit: 'ns', target: null, bounds: ['C'] };
  const cells = { ours: cell(20), JavaScript: cell(30), C: cell(1) };
  const { best, ratio, peers } = judge('ops', row as never, { cells, checks: 3 } as never, 1);
  t.deepEqual({ best, ratio, peers }, { best: 30, ratio: 1.5, peers: { JavaScript: 30, C: 1 } });
});
