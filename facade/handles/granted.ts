/**
 * Granted: memory of an allocator as an operand of the staged native functions. JavaScript copies and fills none of it by itself: another isolate that resets or
 * closes the allocator waits for native operations, and for no others.
 * Room: handles (5). May use: table, grant, region, block.
 */
import { stageRange } from './block.js';
import { allocated } from './grant.js';
import { checkEscape, isGranted } from './region.js';
import type { Region } from './region.js';
import { T } from './table.js';
import type { AllocatedMemory } from '../types.js';

/** The region of live memory that has such a range, 1 byte or more. `undefined` for everything else: whether it escaped is not asked. */
const regionOfRange = (value: unknown, offset: number, length: number): Region | undefined => {
  if (!allocated.isAllocated(value) || typeof offset !== 'number' || offset >>> 0 !== offset || offset > allocated.sizeOf(value) - length) return undefined;
  const region = allocated.regionOf(value);
  return isGranted(region, allocated.slotOf(value), allocated.generationOf(value)) ? region : undefined;
};

/** {@link stageRange} of memory of an allocator, unless that is an arena: what it granted has no record. */
export const stageGranted = (value: unknown, first: number, offset: number, length: number): number => {
  const region = regionOfRange(value, offset, length);
  if (region === undefined || region.levels !== undefined || checkEscape(region)) return -1;
  T[first] = allocated.slotOf(value as AllocatedMemory);
  T[first + 1] = allocated.generationOf(value as AllocatedMemory);
  T[first + 2] = offset;
  T[first + 3] = 0;
  return T[first] as number;
};

/** {@link stageRange}, else {@link stageGranted}. */
export const stageAny = (value: unknown, first: number, offset: number, length: number): number => {
  const slot = stageRange(value, first, offset, length);
  return slot < 0 ? stageGranted(value, first, offset, length) : slot;
};
