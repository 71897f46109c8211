/**
 * Loans: what a native allocation in a region tells: the grant, and where the next ones of its size lie that need no native call.
 * Room: handles (5). May use: primordials, front, table, region, allocated.
 */
import type { AllocatedMemory } from '../types.js';
import { createMemory } from './allocated.js';
import { GRANT_MAX, NO_HOMES, NO_MAGAZINE, TURN, makeHomes } from './front.js';
import * as p from '../primordials.js';
import { isCurrent } from './region.js';
import type { Region } from './region.js';
import { RESULT, T, wide } from './table.js';

/** Whether a size is one that the usual case takes: a positive 31-bit integer. */
export const isSmallSize = (size: unknown): size is number => typeof size === 'number' && (size | 0) === size && size > 0;

/** What the native side has just granted. From then on freed grants of that size are looked for where it says. */
export function granted(region: Region, size: number): AllocatedMemory {
  const home = T[RESULT + 5] as number;
  if (home !== 0) noteLoan(region, size, home);
  return createMemory(region, T[RESULT + 1] as number, T[RESULT + 2] as number, size, wide(3));
}

function noteLoan(region: Region, size: number, home: number): void {
  const turn = T[home + TURN] as number;
  if (turn !== region.turn && !beginTurn(region, turn)) return;
  if (region.levels !== undefined) {
    region.stretch = home;
    region.stretchAt = wide(6);
  } else if (size <= GRANT_MAX) {
    if (region.homes === NO_HOMES) region.homes = makeHomes();
    region.homes[size] = home;
  }
}

/** What was lent in an earlier turn is lent no longer. False when the region is over: the turn is the next one's then. */
function beginTurn(region: Region, turn: number): boolean {
  if (!isCurrent(region)) return false; // asked after the turn was read: a later reset has a later turn
  if (region.homes !== NO_HOMES) p.fillUint16(region.homes, NO_MAGAZINE, 0, GRANT_MAX + 1);
  region.stretch = NO_MAGAZINE;
  region.turn = turn;
  return true;
}
