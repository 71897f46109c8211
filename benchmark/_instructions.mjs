// What `npm run bench:instructions` reads and judges: callgrind's files, and the figures that are kept. It runs nothing.
import { figure } from './_report.mjs';

/** A figure may grow by so much before it is a finding: what inlining elsewhere does to a path stays below it. */
export const TOLERANCE_PERCENT = 3;

/** What callgrind counted in one of its files. */
export function countIn(text, name) {
  const [, count] = /^summary: (\d+)$/m.exec(text) ?? [];
  if (count === undefined) throw new Error(`${name} has no count`);
  return Number(count);
}

/** Instructions of one operation: those of n operations are in `once`, those of 2 n in `twice`, and what a run costs as such is in both. */
export const perOperation = ({ operations, once, twice }) => Math.round(((twice - once) / operations) * 100) / 100;

const percent = (kept, now) => ((now - kept) / kept) * 100;

/** What is to be said of a scene whose figures can be compared. */
function verdictOf(kept, now) {
  if (kept === undefined) return 'not kept';
  if (now === undefined) return 'no such scene';
  const change = percent(kept, now);
  if (change > TOLERANCE_PERCENT) return 'GREW';
  return change < -TOLERANCE_PERCENT ? 'fell' : 'as kept';
}

/** Verdicts with which the command fails. */
const BAD = new Set(['GREW', 'not kept', 'no such scene']);

/** In what the two were made differently, as text; empty when their figures can be compared. */
function differences(kept, now) {
  return Object.keys(now).filter((key) => kept !== null && kept[key] !== now[key]).map((key) => `${now[key]} here, ${kept[key]} there`);
}

/**
 * @param kept `{ made, instructions }`, as in benchmark/instructions.json; without figures `made` is null
 * @param now the same of this run; with `isPart` of some scenes only
 */
export function compare(kept, now, isPart = false) {
  const differs = differences(kept.made, now.made);
  const names = Object.keys(now.instructions);
  if (!isPart) names.push(...Object.keys(kept.instructions).filter((name) => now.instructions[name] === undefined));
  const rows = names.map((scene) => {
    const [before, after] = [kept.instructions[scene], now.instructions[scene]];
    const change = before === undefined || after === undefined ? null : percent(before, after);
    return { scene, kept: before ?? null, now: after ?? null, change, verdict: differs.length > 0 ? 'not judged' : verdictOf(before, after) };
  });
  return { rows, differs, isGood: rows.every(({ verdict }) => !BAD.has(verdict)) };
}

const signed = (change) => (change === null ? '–' : `${change > 0 ? '+' : ''}${change.toFixed(1)} %`);

export function table(rows) {
  const cells = [['scene', 'kept', 'now', 'change', 'verdict'], ...rows.map(({ scene, kept, now, change, verdict }) => [scene, figure(kept), figure(now), signed(change), verdict])];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column].length)));
  return cells.map(([scene, kept, now, change, verdict]) =>
    [scene.padEnd(widths[0]), kept.padStart(widths[1]), now.padStart(widths[2]), change.padStart(widths[3]), verdict].join('  ')).join('\n');
}

/** What follows from the rows, in sentences. */
export function summary({ rows, differs }) {
  const named = (verdict) => rows.filter((row) => row.verdict === verdict).map(({ scene }) => scene);
  const sentence = (verdict, text) => (named(verdict).length > 0 ? [`${text}: ${named(verdict).join('; ')}.`] : []);
  const all = [
    ...sentence('GREW', `Grew by more than ${TOLERANCE_PERCENT} %`),
    ...sentence('fell', `Fell by more than ${TOLERANCE_PERCENT} %, which \`npm run bench:instructions -- --write\` keeps`),
    ...sentence('not kept', 'No figure is kept, which `npm run bench:instructions -- --write` changes'),
    ...sentence('no such scene', 'A figure is kept of what is no scene, which `npm run bench:instructions -- --write` changes'),
  ];
  if (differs.length > 0) all.push(`Not judged, since the kept figures were made with something else: ${differs.join('; ')}.`);
  return all.length > 0 ? all : [`All within ${TOLERANCE_PERCENT} % of what is kept.`];
}
