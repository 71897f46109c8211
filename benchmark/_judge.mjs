// What the cells of a row say: ours beside the best peer, and beside its target.
import { maximum, minimum } from './_checks.mjs';
import { MORE_IS_BETTER } from './_scenarios.mjs';

const mapValues = (object, change) => Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value, name)]));

/** The entries of cells that have such a field. */
const having = (cells, key) =>
  Object.fromEntries(Object.entries(cells).filter(([, cell]) => cell[key] !== undefined).map(([name, cell]) => [name, cell[key]]));

/** Nanoseconds in the row's own unit. */
function inUnit(cell, { unit, bytes }) {
  if (cell.note !== undefined || unit !== 'GB/s') return cell;
  const rate = (ns) => bytes / ns;
  return { ...cell, value: rate(cell.value), median: rate(cell.median), spread: cell.spread.map(rate).toReversed() };
}

/**
 * What a row demands beside others of the same run: at least `times` the rate of `of`, so that nothing has to be scaled.
 * `limit` is that in the row's unit; where the other has no figure, it and `met` are null.
 */
function judgeDemands({ unit, demands = [] }, value, cells) {
  const more = MORE_IS_BETTER.includes(unit);
  return demands.map(({ times, of }) => {
    const other = cells[of]?.value;
    if (other === undefined) return { times, of, limit: null, met: null };
    const limit = more ? times * other : other / times;
    return { times, of, limit, met: reaches(value, limit, more) };
  });
}

const reaches = (value, limit, more) => value !== null && (more ? value >= limit : value <= limit);

/** Of judgements that may be absent: all of them, or null when there is none. */
function allMet(judgements) {
  const given = judgements.filter((met) => met !== null);
  return given.length === 0 ? null : given.every(Boolean);
}

/** Of limits that may be absent: the one that asks most. */
function strictest(limits, more) {
  const given = limits.filter((limit) => limit !== null);
  if (given.length === 0) return null;
  return more ? maximum(given) : minimum(given);
}

/** @returns the row as `--json` prints it; `factor` scales targets that are times. A target that only the run knows comes with its result. */
export function judge(group, row, { cells: measured, checks, target = row.target }, factor) {
  const { unit, operation, bounds = [] } = row;
  const cells = mapValues(measured, (cell) => inUnit(cell, row));
  const { ours, ...peers } = cells;
  const more = MORE_IS_BETTER.includes(unit);
  const figures = Object.entries(peers).filter(([name, { value }]) => value !== undefined && !bounds.includes(name)).map(([, { value }]) => value);
  const best = figures.length === 0 ? null : figures.reduce((a, b) => (more === (a > b) ? a : b));
  const value = ours.value ?? null;
  const own = target ? target.written * (target.scaled ? factor : 1) : null;
  const demands = judgeDemands(row, value, cells);
  return {
    group,
    operation,
    unit,
    ours: value,
    peers: mapValues(peers, (cell) => cell.value ?? null),
    bounds,
    best,
    ratio: value === null || best === null ? null : more ? value / best : best / value,
    target: own ?? strictest(demands.map(({ limit }) => limit), more),
    met: allMet([own === null ? null : reaches(value, own, more), ...demands.map(({ met }) => met)]),
    targetWritten: target?.written ?? null,
    demands,
    median: ours.median ?? null,
    spread: ours.spread ?? null,
    peerMedians: mapValues(peers, (cell) => cell.median ?? null),
    cpu: ours.cpu ?? null,
    peerCpu: having(peers, 'cpu'),
    notes: having(peers, 'note'),
    pairNs: having(cells, 'pairNs'),
    checks,
    error: ours.note ?? null,
  };
}
