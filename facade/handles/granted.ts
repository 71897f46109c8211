/**
 * Granted: memory of an allocator as an operand of the staged native functions. JavaScript copies and fills none of it by itself: another isolate that resets or
 * closes the allocator waits for native operations, and for no others.
 * Room: handles (5). May use: table, grant, region, block.
 */
import { stageRange } from './block.js';
import { allocated } from './grant.js';
import { checkEscape, isCurrent, isGranted } from './region.js';
import type { Region } from './region.js';
import { ARGUMENT, STAGED_LEVELS, T, setWide } from './table.js';
import type { AllocatedMemory } from '../types.js';

/** The region of live memory that has such a range, 1 byte or more. `undefined` for everything else, and for what escaped. */
const regionOfRange = (value: unknown, offset: number, length: number): Region | undefined => {
  if (!allocated.isAllocated(value) || typeof offset !== 'number' || offset >>> 0 !== offset || offset > allocated.sizeOf(value) - length) return undefined;
  const region = allocated.regionOf(value);
  return isGranted(region, allocated.slotOf(value), allocated.generationOf(value)) && !checkEscape(region) ? region : undefined;
};

/** {@link stageRange} of memory of an allocator. False when that is not done. */
export const stageGranted = (value: unknown, index: 0 | 1, offset: number, length: number): boolean => {
  const region = regionOfRange(value, offset, length);
  if (region === undefined) return false;
  const first = ARGUMENT + 4 * index;
  const slot = allocated.slotOf(value as AllocatedMemory);
  T[first + 1] = allocated.generationOf(value as AllocatedMemory);
  if (region.levels === undefined) {
    T[first] = slot;
    T[first + 2] = offset;
    T[first + 3] = 0;
    return true;
  }
  if (!isCurrent(region)) return false; // its number is perhaps another arena's now
  const start = allocated.offsetOf(value as AllocatedMemory) + offset;
  T[first] = -1 - region.number;
  setWide(4 * index + 2, start);
  T[ARGUMENT + STAGED_LEVELS + index] = slot;
  return true;
};

/** {@link stageRange}, else {@link stageGranted}. */
export const stageAny = (value: unknown, index: 0 | 1, offset: number, length: number): boolean =>
  stageRange(value, ARGUMENT + 4 * index, offset, length) >= 0 || stageGranted(value, index, offset, length);
