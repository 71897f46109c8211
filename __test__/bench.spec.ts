// The benchmark: the shape of its report, that nothing is timed unchecked, and that a wrong result fails its row. No time is asserted.
import test from 'ava';
import { availableParallelism } from 'node:os';
import { expectSame, expectStamps, median, minimum, summed } from '../benchmark/_checks.mjs';
import { timeRow } from '../benchmark/_harness.mjs';
import { figure, table } from '../benchmark/_report.mjs';
import { pattern } from '../benchmark/_scenarios.mjs';
import { bench, plant, reportOf, root } from './_bench.js';
import type { Row } from './_bench.js';

const absent = (): never => {
  throw new Error('the package did not load');
};

test('--quick --json --filter: a table, then one line for machines, every row of it checked', async (t) => {
  const { code, stdout, stderr } = await bench(root, '--quick', '--json', '--filter', 'pair 64 B, LIFO');
  t.is(code, 0, stderr);
  t.regex(stdout, /^group +operation +unit +ours +median +spread +cpu +best peer +ratio +target +met +peers$/m);
  t.regex(stdout, /^Targets: \d of \d met\./m);
  const { commit, machine, versions, scale, rows } = reportOf(stdout);
  t.true(commit === null || /^[0-9a-f]{40}/.test(commit));
  t.is(typeof machine['cpu'], 'string');
  t.is(versions['node'], process.versions.node);
  t.is(versions['benny'], '3.7.1');
  t.is(versions['bswap'], '1.3.2');
  t.true(scale.emptyCallNs > 0 && scale.factor > 0);
  t.deepEqual(rows.map(({ group, operation, unit }) => [group, operation, unit]), [['alloc', 'pair 64 B, LIFO', 'ns']]);
  for (const row of rows) {
    const { ours, peers, best, ratio, target, met, spread, targetWritten, demands } = row;
    t.is(row.error, null);
    t.true(row.checks > 0);
    const transfers = 'transfer' in ArrayBuffer.prototype ? ['new ArrayBuffer + transfer(0)'] : [];
    t.deepEqual(Object.keys(peers), ['koffi malloc/free', 'Buffer.allocUnsafeSlow', 'Buffer.alloc', 'new ArrayBuffer', ...transfers]);
    for (const [name, value] of Object.entries(peers)) t.true(value === null ? typeof row.notes[name] === 'string' : value > 0, name);
    t.is(best, minimum(Object.values(peers).filter((value): value is number => value !== null)));
    t.is(ratio, (best ?? NaN) / (ours ?? NaN));
    t.is(target, 12 * scale.factor);
    t.is(targetWritten, 12);
    t.deepEqual(demands, []);
    t.is(met, (ours ?? Infinity) <= (target ?? 0));
    t.is(spread?.[0] ?? null, ours);
    t.true((row.median ?? 0) >= (ours ?? Infinity));
    for (const share of [row.cpu ?? 0, ...Object.values(row.peerCpu)]) t.true(share > 0 && share < availableParallelism() + 1, 'processor time by time on the clock');
    t.deepEqual(Object.keys(row.peerCpu), Object.keys(row.peers).filter((name) => row.peers[name] !== null));
  }
});

test('the allocators: ours and each peer are stamped and read back before they are timed', async (t) => {
  for (const [filter, peers, written] of [['8 in flight', 3, 15], ["hybrid, 'web' sizes", 3, 30]] as const) {
    const { code, stdout, stderr } = await bench(root, '--quick', '--json', '--filter', filter);
    t.is(code, 0, stderr);
    const { rows } = reportOf(stdout);
    t.is(rows.length, 1);
    for (const { group, error, checks, peers: found, targetWritten } of rows) {
      t.deepEqual([group, error, targetWritten], ['allocators', null, written]);
      t.deepEqual(Object.keys(found), ['koffi malloc/free', '@thi.ng/malloc', 'Buffer.allocUnsafe']);
      t.true(checks >= 2 * peers * 8);
    }
  }
});

test('the pools: ours and each peer are checked before they are timed', async (t) => {
  const { code, stdout, stderr } = await bench(root, '--quick', '--json', '--filter', 'pools pool 1 KiB, LIFO');
  t.is(code, 0, stderr);
  const { rows } = reportOf(stdout);
  t.deepEqual(rows.map(({ group, error, targetWritten }) => [group, error, targetWritten]), [['pools', null, 6]]);
  t.deepEqual(Object.keys(rows[0]?.peers ?? {}), ['typedarray-pool', '@thi.ng/malloc', 'koffi malloc/free', 'Buffer.allocUnsafe']);
  t.true((rows[0]?.checks ?? 0) > 10);
});

test('two workers: each row is a ratio of which more is better, with the nanoseconds behind it', async (t) => {
  const { code, stdout, stderr } = await bench(root, '--quick', '--json', '--filter', 'workers object pool');
  t.is(code, 0, stderr);
  const [row] = reportOf(stdout).rows;
  t.deepEqual([row?.group, row?.unit, row?.error, row?.target, row?.targetWritten], ['workers', '×', null, 1.8, 1.8]);
  const { ours, peers, pairNs, best, ratio, met, checks } = row as Row;
  t.deepEqual(Object.keys(peers), ['koffi malloc/free', '@thi.ng/malloc', 'Buffer.allocUnsafe']);
  t.deepEqual(Object.keys(pairNs), ['ours', ...Object.keys(peers)]);
  for (const [name, { one, two }] of Object.entries(pairNs)) {
    const value = name === 'ours' ? ours : peers[name];
    t.true(Math.abs((2 * one) / two / (value ?? NaN) - 1) < 1e-9, name);
  }
  t.is(best, Math.max(...Object.values(peers).map(Number)));
  t.is(ratio, (ours ?? NaN) / (best ?? NaN));
  t.is(met, (ours ?? 0) >= 1.8);
  t.true(checks > 50);
});

test('two workers whose allocator is not the same one fail their row, and so does one that ends', async (t) => {
  const apart = `
    import { threadId } from 'node:worker_threads';
    const { getInstance } = Right;
    Right.getInstance = (name, ...rest) => getInstance(name === 'of both workers' ? name + threadId : name, ...rest);`;
  const gone = "Right.getInstance = (name) => process.exit(name === 'of both workers' ? 3 : 4);";
  for (const [planted, error] of [[apart, 'wrong result: what is live is 3, not 6'], [gone, 'a worker ended with code 4']] as const) {
    const tree = plant(t, `
      import { AdvancedMemoryAllocator as Right } from './right.js';
      export * from './right.js';
      ${planted}`);
    const { code, stdout, stderr } = await bench(tree, '--quick', '--json', '--filter', 'workers slab 128 B by one name, LIFO');
    t.is(code, 1, stderr);
    const [row] = reportOf(stdout).rows;
    t.deepEqual([row?.ours, row?.met, row?.error], [null, false, error]);
    t.true((row?.best ?? 0) > 0);
  }
});

test('a stamp that another has written over is found', (t) => {
  const region = new Uint8Array(64);
  t.notThrows(() => expectStamps([region.subarray(0, 32), region.subarray(32)]));
  t.throws(() => expectStamps([region.subarray(0, 33), region.subarray(32)]), { message: 'wrong result: the stamp of number 0 is whole' });
});

test('the sizes of a web server and of a log writer are the numbers that others can repeat', (t) => {
  const facts = (['web', 'log'] as const).map((name) => {
    const { slots, sizes } = pattern(name);
    return [[...slots.subarray(0, 2)], [...sizes.subarray(0, 2)], sizes.reduce((sum, size) => sum + size, 0)];
  });
  t.deepEqual(facts, [[[73, 194], [1024, 256], 40_483_308], [[73, 21], [1850, 2615], 133_018_421]]);
});

test('a filter that no row holds, and an unknown option, are told in one sentence', async (t) => {
  for (const args of [['--filter', 'no such row'], ['--fast'], ['--filter']]) {
    const { code, stderr } = await bench(root, ...args);
    t.is(code, 1);
    t.regex(stderr, /Usage: npm run bench \[-- --quick --filter text --json --plot DIR\]\n$/);
    t.notRegex(stderr, /\n {4}at /);
  }
});

test('a wrong result of ours fails its row and the run', async (t) => {
  const tree = plant(t, `
    import { DirectMemoryManager as Right } from './right.js';
    export * from './right.js';
    const compareMemory = () => 0; // whatever the bytes
    export const DirectMemoryManager = new Proxy(Right, { get: (target, key) => (key === 'compareMemory' ? compareMemory : target[key]) });
  `);
  const { code, stdout, stderr } = await bench(tree, '--quick', '--json', '--filter', 'ops compare 64 B');
  t.is(code, 1, stderr);
  const [row] = reportOf(stdout).rows;
  t.is(row?.ours, null);
  t.is(row?.ratio, null);
  t.is(row?.error, 'wrong result: the order is 0, not -1');
  t.regex(stdout, /^ops +compare 64 B +ns +FAILED .*wrong result/m);
  t.regex(stdout, /^FAILED ops compare 64 B: wrong result/m);
});

test('a case whose check fails is not timed, nor is anything beside a wrong result of ours', async (t) => {
  let timed = 0;
  const loop = (n: number): number => (timed += n);
  const right = { loop, check: () => undefined, expected: () => timed };
  const wrong = { ...right, check: () => expectSame(1, 2, 'a byte') };
  const plan = { rounds: 1, caseMs: 1, warmMs: 1 };
  const row = { operation: 'x', cases: { ours: () => wrong, right: () => right, absent } };
  const { cells, checks } = await timeRow(row as never, plan as never);
  t.deepEqual(cells, {
    ours: { note: 'wrong result: a byte is 1, not 2' },
    right: { note: 'was not timed' },
    absent: { note: 'the package did not load' },
  });
  t.is(timed, 1); // the check of the one that is right
  t.is(checks, 1);
});

test('statistics and the table', (t) => {
  t.is(minimum([3, 1, 2]), 1);
  t.is(median([9, 1, 2]), 2);
  t.is(median([4, 1, 2, 9]), 3);
  t.is(summed(4, (i: number) => i)(8), 12);
  t.deepEqual([0.014, 9.994, 12.345, 99.96, 1234.5, null].map((value) => figure(value)), ['0.01', '9.99', '12.3', '100.0', '1,235', '–']);
  const row = {
    group: 'alloc', operation: 'pair', unit: 'ns', ours: 50, peers: { a: 100, b: null }, best: 100, ratio: 2, target: 110, met: true,
    targetWritten: 100, median: 60, spread: [50, 55], cpu: 0.98, notes: { b: 'did not load' }, checks: 3, error: null,
  };
  t.is(table([row] as never).split('\n')[1], 'alloc  pair       ns    50.0    60.0  50.0…55.0  0.98  100 a       2.00  ≤ 110 (100)  yes  a 100; b did not load');
  const ratio = {
    ...row, unit: '×', ours: 1.9, peers: { a: 1.5, b: null }, best: 1.5, ratio: 1.27, target: 1.8, targetWritten: 1.8, median: 1.8, spread: [1.8, 1.9],
    pairNs: { ours: { one: 10, two: 10.5 }, a: { one: 60, two: 80 } },
  };
  t.is(table([ratio] as never).split('\n')[1],
    'alloc  pair       ×     1.90    1.80  1.80…1.90  0.98  1.50 a      1.27  ≥ 1.80  yes  ours (10.0 → 10.5 ns); a 1.50 (60.0 → 80.0 ns); b did not load');
});
