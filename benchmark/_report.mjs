// The table for people, the object for machines.
import { cpus, loadavg, release, totalmem } from 'node:os';
import { run } from '../scripts/lib.mjs';
import { builtVersions } from './_built-peers.mjs';
import { koffiVersion } from './_peers.mjs';
import { MORE_IS_BETTER } from './_scenarios.mjs';

async function git(...args) {
  try {
    const { code, stdout } = await run('git', args, { output: 'capture' });
    return code === 0 ? stdout.trim() : null;
  } catch {
    return null; // no git, or no repository: an unpacked archive
  }
}

export async function commit() {
  const hash = await git('rev-parse', 'HEAD');
  if (hash === null) return null;
  return (await git('status', '--porcelain')) === '' ? hash : `${hash} with changes`;
}

export function machine() {
  const list = cpus();
  const load = loadavg().map((value) => value.toFixed(1)).join(' ');
  return { cpu: list[0]?.model ?? 'unknown', cpus: list.length, memoryGiB: Math.round(totalmem() / 2 ** 30), system: `${process.platform} ${release()} ${process.arch}`, load };
}

export function versions(offheap, benny) {
  const { glibcVersionRuntime } = process.report.getReport().header;
  return { offheap, node: process.versions.node, v8: process.versions.v8, glibc: glibcVersionRuntime ?? null, koffi: koffiVersion, benny, ...builtVersions() };
}

/** Three significant digits, thousands apart. */
export function figure(value) {
  if (value === null || value === undefined) return '–';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

const yesOrNo = (met) => (met === null ? '–' : met ? 'yes' : 'NO');

/** What is demanded beside one other: of a rate at least so many times its, of a time at most. */
function demandText({ times, of, limit }, unit) {
  const demand = MORE_IS_BETTER.includes(unit) ? `≥ ${figure(times)}` : `≤ ${figure(1 / times)}`;
  return `${demand} × ${of} (${figure(limit)})`;
}

function targetText({ unit, target, targetWritten, demands = [] }) {
  const texts = demands.map((demand) => demandText(demand, unit));
  if (targetWritten !== null) {
    const limit = `${MORE_IS_BETTER.includes(unit) ? '≥' : '≤'} ${figure(target)}`;
    texts.unshift(target === targetWritten ? limit : `${limit} (${figure(targetWritten)})`);
  }
  return texts.join('; ') || '–';
}

/** A row that missed its target, and by what it did: ours over what is asked for, as rates. */
function missedText(row) {
  const { group, operation, unit, ours, target, targetWritten, demands } = row;
  const share = (limit) => (MORE_IS_BETTER.includes(unit) ? ours / limit : limit / ours);
  const parts = demands.filter(({ met }) => met === false).map(({ times, of, limit }) => `${figure(times * share(limit))} of ${figure(times)} × ${of}`);
  if (targetWritten !== null && share(target) < 1) parts.unshift(`${figure(share(target))} of 1`);
  return `${group} ${operation} (${parts.join(', ')})`;
}

function bestText({ best, peers }) {
  const name = Object.keys(peers).find((key) => peers[key] === best && best !== null);
  return name === undefined ? '–' : `${figure(best)} ${name}`;
}

/** What a pair takes a worker that works alone, and one beside another: a ratio does not tell it. */
const pairText = (pair) => (pair === undefined ? '' : `(${figure(pair.one)} → ${figure(pair.two)} ns)`);

function peersText({ peers, notes, pairNs = {} }) {
  const texts = Object.entries(peers).map(([name, value]) => `${name} ${notes[name] ?? figure(value)} ${pairText(pairNs[name])}`.trimEnd());
  if (pairNs.ours !== undefined) texts.unshift(`ours ${pairText(pairNs.ours)}`);
  return texts.join('; ') || '–';
}

const COLUMNS = [
  ['group', (row) => row.group],
  ['operation', (row) => row.operation],
  ['unit', (row) => row.unit],
  ['ours', (row) => (row.error === null ? figure(row.ours) : 'FAILED'), 'right'],
  ['median', (row) => figure(row.median), 'right'],
  ['spread', (row) => (row.spread === null ? '–' : row.spread.map(figure).join('…')), 'right'],
  ['cpu', (row) => figure(row.cpu), 'right'],
  ['best peer', bestText],
  ['ratio', (row) => figure(row.ratio), 'right'],
  ['target', targetText],
  ['met', (row) => yesOrNo(row.met)],
  ['peers', (row) => row.error ?? peersText(row)],
];

export function table(rows) {
  const lines = [COLUMNS.map(([title]) => title), ...rows.map((row) => COLUMNS.map(([, text]) => text(row)))];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((cells) => cells[column].length)));
  const pad = (text, column) => (COLUMNS[column][2] === 'right' ? text.padStart(widths[column]) : text.padEnd(widths[column]));
  return lines.map((cells) => cells.map(pad).join('  ').trimEnd()).join('\n');
}

/** Without a scale all targets are what others do in the same run. */
export function summaryLines(rows, scale) {
  const judged = rows.filter(({ met }) => met !== null);
  const compared = rows.filter(({ ratio }) => ratio !== null);
  const lost = compared.filter(({ ratio }) => ratio < 1);
  const failed = rows.filter(({ error }) => error !== null);
  const missed = judged.filter(({ met, error }) => !met && error === null);
  const count = `Targets: ${judged.filter(({ met }) => met).length} of ${judged.length} met.`;
  const scaled = scale === undefined ? [count] : [
    `${count} Times stand in brackets as they were written, for a machine whose empty native call takes ${scale.writtenNs} ns;`,
    `here ${scale.what} takes ${figure(scale.emptyCallNs)} ns, so times count × ${scale.factor.toFixed(2)}.`,
  ];
  return [
    ...scaled,
    `Ratio > 1: ours is better than the best peer. A peer is better in ${lost.length} of ${compared.length} rows${lost.length > 0 ? `: ${lost.map(({ group, operation }) => `${group} ${operation}`).join('; ')}` : ''}.`,
    ...(missed.length > 0 ? [`Missed, as a share of the rate that is asked for: ${missed.map(missedText).join('; ')}.`] : []),
    ...failed.map(({ group, operation, error }) => `FAILED ${group} ${operation}: ${error}`),
  ];
}
