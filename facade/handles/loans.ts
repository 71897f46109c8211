/**
 * Loans: what a native allocation in a region tells: the grant, and where the next ones of its size lie that need no native call.
 * Room: handles (5). May use: primordials, front, table, region, allocated.
 */
import type { AllocatedMemory } from '../types.js';
import { binding } from '../native.js';
import { createMemory, takeNatively } from './allocated.js';
import { GRANT_MAX, NO_HOMES, NO_MAGAZINE, TURN, makeHomes } from './front.js';
import { setLabelOf } from './grant.js';
import * as p from '../primordials.js';
import { isCurrent } from './region.js';
import type { Region } from './region.js';
import { RESULT, T, wide } from './table.js';

/** Whether a size is one that the usual case takes: a positive 31-bit integer. */
export const isSmallSize = (size: unknown): size is number => typeof size === 'number' && (size | 0) === size && size > 0;

const allocateInRegion: () => void = binding.allocatorAllocate;

/** What the native side grants to the staged request; undefined when it refuses. From then on freed grants of that size are looked for where it
 * says. */
export function granted(region: Region, size: number, label?: string): AllocatedMemory | undefined {
  const memory = createMemory(region, size);
  if (label !== undefined) setLabelOf(memory, label);
  if (!takeNatively(memory, allocateInRegion)) return undefined;
  const home = T[RESULT + 5] as number;
  if (home === 0) return memory;
  try {
    noteLoan(region, size, home);
  } catch {
    // The stack ends here, and what throws gives no memory. The next native call tells again.
  }
  return memory;
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
    region.lastSize = size;
    region.lastHome = home;
  }
}

/** What was lent in an earlier turn is lent no longer. False when the region is over: the turn is the next one's then. */
function beginTurn(region: Region, turn: number): boolean {
  if (!isCurrent(region)) return false; // asked after the turn was read: a later reset has a later turn
  if (region.homes !== NO_HOMES) p.fillUint16(region.homes, NO_MAGAZINE, 0, GRANT_MAX + 1);
  region.lastSize = -1;
  region.lastHome = NO_MAGAZINE; // somebody may ask for −1 bytes
  region.stretch = NO_MAGAZINE;
  region.turn = turn;
  return true;
}
