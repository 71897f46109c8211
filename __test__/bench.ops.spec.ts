// The benchmark's memory operations: what stands beside ours, and how a row is judged. No time is asserted.
import test from 'ava';
import { judge } from '../benchmark/_judge.mjs';
import { summaryLines, table } from '../benchmark/_report.mjs';
import { isTaken } from '../benchmark/_quick.mjs';
import { rows } from '../benchmark/ops.mjs';
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
const absent = { note: 'it did not load' };

/** What is judged of a row: ours took so many ns for 100 bytes, and others what `peers` says. */
function judged(row: object, ours: object, peers: { readonly [name: string]: object }, factor = 1): ReturnType<typeof judge> {
  return judge('ops', { operation: 'copy', unit: 'ns', bytes: 100, target: null, ...row } as never, { cells: { ours, ...peers }, checks: 3 } as never, factor);
}

test('a bound is shown and never the best peer', (t) => {
  const { best, ratio, peers } = judged({ bounds: ['C'] }, cell(20), { JavaScript: cell(30), C: cell(1) });
  t.deepEqual({ best, ratio, peers }, { best: 30, ratio: 1.5, peers: { JavaScript: 30, C: 1 } });
});

test('a demand is so many times the rate of another in the same run, and no machine scales it', (t) => {
  const demands = [{ times: 0.8, of: 'C' }];
  for (const [ours, met] of [[12.4, true], [12.5, true], [12.6, false]] as const) {
    const row = judged({ demands }, cell(ours), { C: cell(10) }, 3);
    t.deepEqual([row.target, row.targetWritten, row.met], [12.5, null, met]);
    t.deepEqual(row.demands, [{ times: 0.8, of: 'C', limit: 12.5, met }]);
  }
  const rates = judged({ demands, unit: 'GB/s' }, cell(12.6), { C: cell(10) });
  t.deepEqual([rates.target, rates.met], [8, false]); // 100 bytes in 10 ns are 10 GB/s
  t.true(judged({ demands, unit: 'GB/s' }, cell(12.4), { C: cell(10) }).met);
});

test('of several demands the strictest is the target, and all must be met', (t) => {
  const demands = [{ times: 1, of: 'slow' }, { times: 1, of: 'quick' }];
  const peers = { slow: cell(40), quick: cell(20) };
  t.deepEqual([30, 20].map((ours) => judged({ demands }, cell(ours), peers)).map(({ target, met }) => [target, met]), [[20, false], [20, true]]);
  const rates = judged({ demands, unit: 'GB/s' }, cell(30), peers);
  t.deepEqual([rates.target, rates.met, rates.demands.map(({ met }: { met: boolean | null }) => met)], [5, false, [true, false]]);
  const both = { demands: [{ times: 1, of: 'slow' }], target: { written: 10, scaled: true } };
  t.deepEqual([judged(both, cell(30), peers, 2)].map(({ target, met }) => [target, met]), [[20, false]]);
  t.deepEqual([judged(both, cell(30), peers, 4)].map(({ target, met }) => [target, met]), [[40, true]]);
});

test('a demand beside a peer without a figure is not judged; one of ours without a figure is missed', (t) => {
  const demands = [{ times: 1, of: 'gone' }, { times: 1, of: 'there' }];
  const partly = judged({ demands }, cell(10), { gone: absent, there: cell(20) });
  t.deepEqual([partly.target, partly.met, partly.demands[0]], [20, true, { times: 1, of: 'gone', limit: null, met: null }]);
  const alone = judged({ demands: demands.slice(0, 1) }, cell(10), { gone: absent });
  t.deepEqual([alone.target, alone.met], [null, null]);
  const failed = judged({ demands }, { note: 'wrong result' }, { gone: absent, there: cell(20) });
  t.deepEqual([failed.met, failed.error], [false, 'wrong result']);
});

test('the table and the summary tell what is demanded beside whom, and what was missed by how much', (t) => {
  const demands = [{ times: 0.5, of: 'C' }, { times: 1, of: 'gone' }];
  const missed = judged({ demands, unit: 'GB/s' }, cell(25), { C: cell(10), gone: absent });
  t.regex(table([missed] as never), / ≥ 0\.50 × C \(5\.00\); ≥ 1\.00 × gone \(–\) +NO /);
  const lines = summaryLines([missed] as never, { writtenNs: 8, emptyCallNs: 8, factor: 1, what: 'a call' } as never);
  t.regex(lines.join('\n'), /^Targets: 0 of 1 met\.[^]*^Missed, .*: ops copy \(0\.40 of 0\.50 × C\)\.$/m);
  const times = judged({ demands: [{ times: 0.5, of: 'C' }] }, cell(25), { C: cell(10) });
  t.regex(table([times] as never), / ≤ 2\.00 × C \(20\.0\) +NO /);
});

test('a quick run without a filter leaves rows out, one with a filter none', async (t) => {
  const { code, stdout, stderr } = await bench(root, '--quick', '--json', '--filter', 'ops fill with 8 bytes, 1 B');
  t.is(code, 0, stderr);
  const [row] = reportOf(stdout).rows;
  t.is(row?.operation, 'fill with 8 bytes, 1 B');
  t.deepEqual(row?.demands.map(({ of }) => of), ['Buffer.fill, ranges']);
  const chosen = rows.filter((each: { readonly operation: string }) => isTaken('ops', each, { quick: true, filter: '' }));
  t.true(chosen.length > 0 && chosen.length < rows.length);
  t.is(rows.filter((each: { readonly operation: string }) => isTaken('ops', each, { quick: false, filter: '' })).length, rows.length);
  t.false(isTaken('memory', { operation: 'a million live blocks' }, { quick: true, filter: '' }));
  t.true(isTaken('memory', { operation: 'a million live blocks' }, { quick: true, filter: 'live' }));
});

test('an operation off the main thread stands beside the same one on it, and both are checked', async (t) => {
  const { code, stdout, stderr } = await bench(root, '--quick', '--json', '--filter', 'ops fillAsync');
  t.is(code, 0, stderr);
  const [row] = reportOf(stdout).rows;
  t.deepEqual([row?.unit, row?.error, row?.demands.length], ['ms', null, 1]);
  const [demand] = row?.demands ?? [];
  t.is(demand?.of, 'setMemory, on the main thread');
  t.true(Math.abs((row?.target ?? 0) / (1.1 * (row?.peers[demand?.of ?? ''] ?? 0)) - 1) < 1e-9);
  t.is(row?.met, (row?.ours ?? Infinity) <= (row?.target ?? 0));
  t.true((row?.checks ?? 0) >= 3);
});

test('an operation off the main thread that does nothing fails its row', async (t) => {
  const tree = plant(t, `
    import { DirectMemoryManager as Right } from './right.js';
    export * from './right.js';
    const fillAsync = async () => undefined;
    export const DirectMemoryManager = new Proxy(Right, { get: (target, key) => (key === 'fillAsync' ? fillAsync : target[key]) });
  `);
  const { code, stdout, stderr } = await bench(tree, '--quick', '--json', '--filter', 'ops fillAsync');
  t.is(code, 1, stderr);
  const [row] = reportOf(stdout).rows;
  t.deepEqual([row?.ours, row?.met, row?.error], [null, false, 'wrong result: a byte is not what it was filled with']);
  t.true((row?.best ?? 0) > 0);
});

test('what a non-temporal copy leaves in the caches stands beside other copies and beside none', async (t) => {
  const { code, stdout, stderr } = await bench(root, '--quick', '--json', '--filter', 'read again after a non-temporal copy of 8 MiB');
  t.is(code, 0, stderr);
  const [row] = reportOf(stdout).rows;
  t.deepEqual([row?.unit, row?.error], ['ns', null]);
  t.is(row?.best, row?.peers['Buffer.copy']);
  t.is(row?.target, 2 * (row?.peers['nothing copied'] ?? Number.NaN));
  t.is(row?.met, (row?.ours ?? Infinity) <= (row?.target ?? 0));
});
