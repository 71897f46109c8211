/**
 * Loans: what a native allocation in a region tells: the grant, and where the next ones of its size lie that need no native call.
 * Room: handles (5). May use: front, table, region, allocated.
 */
import type { AllocatedMemory } from '../types.js';
import { createMemory } from './allocated.js';
import { GRANT_MAX, NO_HOMES, makeHomes } from './front.js';
import type { Region } from './region.js';
import { RESULT, T, wide } from './table.js';

/** Whether a size is one that the usual case takes: a positive 31-bit integer. */
export const isSmallSize = (size: unknown): size is number => typeof size === 'number' && (size | 0) === size && size > 0;

/** What the native side has just granted. From then on freed grants of that size are looked for where it says. */
export function granted(region: Region, size: number): AllocatedMemory {
  const home = T[RESULT + 5] as number;
  if (home !== 0 && region.levels !== undefined) {
    region.stretch = home;
    region.stretchAt = wide(6);
  } else if (home !== 0 && size <= GRANT_MAX) {
    if (region.homes === NO_HOMES) region.homes = makeHomes();
    region.homes[size] = home;
  }
  return createMemory(region, T[RESULT + 1] as number, T[RESULT + 2] as number, size, wide(3));
}
