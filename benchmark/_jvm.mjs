// Puts ours and what JMH measured into the rows of the benchmark: ours by its own processes, the peers by JMH's forks, in turn.
import { maximum, median, mergeCells, minimum } from './_checks.mjs';
import { runProcess } from './_collect.mjs';
import { PLANS } from './_harness.mjs';
import { judge } from './_judge.mjs';
import * as jvm from './jvm.mjs';

/**
 * How JMH measures. A window is about as short as our samples, since a longer one seldom falls between two interruptions of a busy
 * machine, and the least would not be the machine's.
 */
export const JMH_PLANS = {
  quick: ['-f', '1', '-wi', '3', '-w', '150ms', '-i', '60', '-r', '1ms'],
  full: ['-f', '3', '-wi', '3', '-w', '500ms', '-i', '200', '-r', '1ms'],
};

const NS_PER = { 'ns/op': 1, 'us/op': 1e3, 'ms/op': 1e6, 's/op': 1e9 };

/** What tells a benchmark with its parameters: `Pairs.ffmConfined size=64`. */
const keyOf = (benchmark, params) => [benchmark, ...Object.entries(params).toSorted().map(([name, value]) => `${name}=${value}`)].join(' ');

/** Least of all windows, median of the forks' medians, and how far apart the forks' minima are: as `mergeCells` does with processes. */
export function cellOf({ primaryMetric: { rawData, scoreUnit } }) {
  const factor = NS_PER[scoreUnit];
  if (factor === undefined) return { note: `JMH gave its time in ${scoreUnit}` };
  const forks = rawData.map((windows) => windows.map((value) => value * factor)).filter((windows) => windows.length > 0);
  if (forks.length === 0) return { note: 'JMH gave no window' };
  return mergeCells(forks.map((windows) => ({ min: minimum(windows), median: median(windows) })));
}

/** JMH's results by benchmark and parameters. */
export function readJmh(results) {
  return new Map(results.map((result) => [keyOf(result.benchmark.split('.').slice(-2).join('.'), result.params ?? {}), cellOf(result)]));
}

/** The peers' cells of a row. JMH leaves out what failed, also in its check. */
export function peerCells({ peers }, measured) {
  const cell = ({ benchmark, params }) => measured.get(keyOf(benchmark, params)) ?? { note: `${benchmark} gave no figure: JMH says above why` };
  return Object.fromEntries(Object.entries(peers).map(([name, of]) => [name, cell(of)]));
}

/** What JMH is to run for some rows: names as one pattern, and the values of each parameter. */
export function selection(rows) {
  const all = rows.flatMap(({ peers }) => Object.values(peers));
  const names = [...new Set(all.map(({ benchmark }) => benchmark.replaceAll('.', String.raw`\.`)))];
  const values = {};
  for (const { params } of all) {
    for (const [name, value] of Object.entries(params)) values[name] = (values[name] ?? new Set()).add(value);
  }
  return [String.raw`\.(${names.join('|')})$`, ...Object.entries(values).flatMap(([name, set]) => ['-p', `${name}=${[...set].join(',')}`])];
}

/** A row as `npm run bench` prints them. All targets are demands beside a peer of this run, so nothing is scaled. */
export const rowOf = (row, cells, checks) => judge(jvm.group, row, { cells, checks }, 1);

async function timeOurs(rows, plan, progress) {
  const runs = [];
  const operations = rows.map(({ operation }) => operation);
  const isApart = jvm.APART.includes(rows[0].family);
  for (const some of isApart ? operations.map((operation) => [operation]) : [operations]) {
    progress(`ours: ${some.length === 1 ? some[0] : `${some.length} rows`}`);
    runs.push(await runProcess(jvm.group, plan, some));
  }
  return runs;
}

/** What the processes said of a row, put together. */
function oursOf(operation, runs) {
  const found = runs.map(({ messages, ended }) => messages.find((message) => message.operation === operation) ?? (ended && { cells: { ours: { note: ended } }, checks: 0 }));
  const said = found.filter(Boolean);
  if (said.length === 0) return { cell: { note: 'not reported' }, checks: 0 };
  return { cell: mergeCells(said.map(({ cells }) => cells.ours)), checks: said.reduce((sum, { checks }) => sum + checks, 0) };
}

/** @param runJmh `(args) => results`, JMH's own JSON for these arguments */
export async function collectJvm({ quick, filter, progress, runJmh }) {
  const name = quick ? 'quick' : 'full';
  const wanted = jvm.rows.filter(({ operation }) => `${jvm.group} ${operation}`.includes(filter));
  const done = [];
  for (const family of new Set(wanted.map((row) => row.family))) {
    const rows = wanted.filter((row) => row.family === family);
    const runs = await timeOurs(rows, PLANS[name], progress);
    progress(`JMH: ${family}`);
    const measured = readJmh(await runJmh([...selection(rows), ...JMH_PLANS[name]]));
    for (let turn = 1; turn < maximum([2, PLANS[name].processes]); turn += 1) runs.push(...(await timeOurs(rows, PLANS[name], progress)));
    for (const row of rows) {
      const { cell, checks } = oursOf(row.operation, runs);
      done.push(rowOf(row, { ours: cell, ...peerCells(row, measured) }, checks));
    }
  }
  return done;
}
