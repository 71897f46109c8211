// What the cells of a row say: ours beside the best peer, and beside its target.
import { MORE_IS_BETTER } from './_scenarios.mjs';

const mapValues = (object, change) => Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value, name)]));

/** The entries of cells that have such a field. */
const having = (cells, key) =>
  Object.fromEntries(Object.entries(cells).filter(([, cell]) => cell[key] !== undefined).map(([name, cell]) => [name, cell[key]]));

/** Nanoseconds in the row's own unit. */
function inUnit(cell, { unit, bytes }) {
  if (cell.note !== undefined || unit !== 'GB/s') return cell;
  const rate = (ns) => bytes / ns;
  return { value: rate(cell.value), median: rate(cell.median), spread: cell.spread.map(rate).toReversed() };
}

/** @returns the row as `--json` prints it; `factor` scales targets that are times */
export function judge(group, row, { cells: measured, checks }, factor) {
  const { unit, operation, bounds = [] } = row;
  const cells = mapValues(measured, (cell) => inUnit(cell, row));
  const { ours, ...peers } = cells;
  const more = MORE_IS_BETTER.includes(unit);
  const figures = Object.entries(peers).filter(([name, { value }]) => value !== undefined && !bounds.includes(name)).map(([, { value }]) => value);
  const best = figures.length === 0 ? null : figures.reduce((a, b) => (more === (a > b) ? a : b));
  const value = ours.value ?? null;
  const target = row.target ? row.target.written * (row.target.scaled ? factor : 1) : null;
  return {
    group,
    operation,
    unit,
    ours: value,
    peers: mapValues(peers, (cell) => cell.value ?? null),
    bounds,
    best,
    ratio: value === null || best === null ? null : more ? value / best : best / value,
    target,
    met: target === null ? null : value !== null && (more ? value >= target : value <= target),
    targetWritten: row.target?.written ?? null,
    median: ours.median ?? null,
    spread: ours.spread ?? null,
    peerMedians: mapValues(peers, (cell) => cell.median ?? null),
    notes: having(peers, 'note'),
    pairNs: having(cells, 'pairNs'),
    checks,
    error: ours.note ?? null,
  };
}
