/**
 * Granted: memory operations the short way where one end is memory of an allocator. What these do not do at once, the functions of operand.ts do, or refuse.
 * Room: handles (5). May use: primordials, native, table, grant, region, block.
 */
import * as p from '../primordials.js';
import type { SafeBytes } from '../primordials.js';
import { stageRange } from './block.js';
import { allocated } from './grant.js';
import { bytesOfRegion, checkEscape, isGranted } from './region.js';
import type { Region } from './region.js';
import { T } from './table.js';
import type { AllocatedMemory } from '../types.js';

/** The region of live memory that has such a range, 1 byte or more. `undefined` for everything else: whether it escaped is not asked. */
const regionOfRange = (value: unknown, offset: number, length: number): Region | undefined => {
  if (!allocated.isAllocated(value) || typeof offset !== 'number' || offset >>> 0 !== offset || offset > allocated.sizeOf(value) - length) return undefined;
  const region = allocated.regionOf(value);
  return isGranted(region, allocated.slotOf(value), allocated.generationOf(value)) ? region : undefined;
};

/** Where a range that begins so far into the memory lies in its region's bytes; −1 where these do not show it: also when a buffer of the region is with
 * somebody else, for then they are none. */
const placeOf = (bytes: SafeBytes, memory: unknown, offset: number, length: number): number => {
  const place = allocated.offsetOf(memory as AllocatedMemory) + offset;
  return place > bytes.length - length ? -1 : place;
};

/** Copies within one region. False when that is not done. */
export const copyGranted = (source: unknown, sourceOffset: number, target: unknown, targetOffset: number, length: number): boolean => {
  const region = regionOfRange(source, sourceOffset, length);
  if (region === undefined || regionOfRange(target, targetOffset, length) !== region) return false;
  const bytes = bytesOfRegion(region);
  if (bytes === undefined) return false;
  const start = placeOf(bytes, source, sourceOffset, length);
  const place = placeOf(bytes, target, targetOffset, length);
  if (start < 0 || place < 0) return false;
  bytes.copyWithin(place, start, start + length);
  return true;
};

/** Fills with a byte. False when that is not done. */
export const fillGranted = (memory: unknown, offset: number, length: number, value: number): boolean => {
  const region = regionOfRange(memory, offset, length);
  const bytes = region && bytesOfRegion(region);
  if (bytes === undefined) return false;
  const place = placeOf(bytes, memory, offset, length);
  if (place < 0) return false;
  bytes.fill(value, place, place + length);
  return true;
};

/** Copies all of a Uint8Array to memory. False when that is not done. */
export const copyIntoGranted = (source: Uint8Array, memory: unknown, offset: number): boolean => {
  const length = p.typedArrayLength(source);
  const region = regionOfRange(memory, offset, length);
  const bytes = region && bytesOfRegion(region);
  if (bytes === undefined) return false;
  const place = placeOf(bytes, memory, offset, length);
  if (place < 0) return false;
  bytes.set(source, place);
  return true;
};

/** Copies memory into a Uint8Array, which has room for it. False when that is not done. */
export const copyFromGranted = (memory: unknown, offset: number, target: Uint8Array, targetOffset: number, length: number): boolean => {
  const region = regionOfRange(memory, offset, length);
  const bytes = region && bytesOfRegion(region);
  if (bytes === undefined) return false;
  const place = placeOf(bytes, memory, offset, length);
  if (place < 0) return false;
  p.setBytes(target, p.uint8Over(bytes.buffer as ArrayBuffer, place, length), targetOffset);
  return true;
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
