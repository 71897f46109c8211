/**
 * Loans: allocators' grants that need no native call: those that were freed in this isolate before, and pieces of arenas, while it alone uses
 * the allocator.
 * Room: handles (5). May use: front, table, region, allocated.
 */
import type { AllocatedMemory } from '../types.js';
import { createMemory } from './allocated.js';
import { BUSY, GRANT_MAX, cutStretch, grantOffset, makeHomes, stretchLevel, stretchStay, takeGrant } from './front.js';
import { isAlone } from './region.js';
import type { Region } from './region.js';
import { FRONT, RESULT, T, wide } from './table.js';

/** Whether a size is one that the usual case takes: a positive 31-bit integer. */
export const isSmallSize = (size: unknown): size is number => typeof size === 'number' && (size | 0) === size && size > 0;

/** A grant of `size` bytes from a magazine; undefined when a native call is due. */
export const takeLent = (region: Region, size: number): AllocatedMemory | undefined => {
  const { homes } = region;
  if (!isSmallSize(size) || size > GRANT_MAX) return undefined;
  if (homes === undefined) return region.levels === undefined ? undefined : cut(region, size);
  let slot = 0;
  let generation = 0;
  let offset = 0;
  T[BUSY] = 1;
  try {
    if (isAlone(region)) slot = takeGrant(homes[size] as number, size);
    generation = T[FRONT + (slot << 2)] as number; // before who comes second lets the record speak for it
    offset = grantOffset(slot);
  } finally {
    T[BUSY] = 0;
  }
  return slot === 0 ? undefined : createMemory(region, slot, generation, size, offset);
};

/** The same, off an arena's piece. */
const cut = (region: Region, size: number): AllocatedMemory | undefined => {
  const { stretch } = region;
  let at = -1;
  let level = 0;
  let stay = 0;
  T[BUSY] = 1;
  try {
    if (isAlone(region)) at = cutStretch(stretch, size);
    level = stretchLevel(stretch);
    stay = stretchStay(stretch);
  } finally {
    T[BUSY] = 0;
  }
  return at < 0 ? undefined : createMemory(region, level, stay, size, region.stretchAt + at);
};

/** What the native side has just granted. From then on freed grants of that size are looked for where it says. */
export function granted(region: Region, size: number): AllocatedMemory {
  const home = T[RESULT + 5] as number;
  if (home !== 0 && region.levels !== undefined) {
    region.stretch = home;
    region.stretchAt = wide(6);
  } else if (home !== 0 && size <= GRANT_MAX) {
    region.homes ??= makeHomes();
    region.homes[size] = home;
  }
  return createMemory(region, T[RESULT + 1] as number, T[RESULT + 2] as number, size, wide(3));
}
