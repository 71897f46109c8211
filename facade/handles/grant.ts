/**
 * Grant: what an AllocatedMemory is allowed to do, and how it ends. The class keeps its fields private; this folder and the room above
 * reach them through {@link allocated}.
 * Room: handles (5). May use: primordials, types, format, errors, native, options, table, region, facts, operand, accessors, copyout, stack.
 */
import * as errors from '../errors.js';
import { formatAllocated } from '../format.js';
import { binding } from '../native.js';
import { validateRange } from '../options.js';
import * as p from '../primordials.js';
import type { AllocatedMemory } from '../types.js';
import { NOT_READY } from './accessors.js';
import { copyPart } from './copyout.js';
import { ROW } from './facts.js';
import { exposeMemory } from './operand.js';
import { checkEscape, isCurrent, isGranted, isGrantedStill, isOpen, showRegion, windowOf } from './region.js';
import type { Region } from './region.js';
import { requireStack } from './stack.js';
import { RESULT, T, TWO_32, failure, idOf, status } from './table.js';

export const KIND = 'AllocatedMemory';

/** The generation of a freed grant of an arena: no level has it. */
export const FREED = -1;

/** The fields of an AllocatedMemory, for this file and the room above, whatever a script made of its methods. */
export interface AllocatedFields {
  isAllocated(value: unknown): value is AllocatedMemory;
  regionOf(memory: AllocatedMemory): Region;
  slotOf(memory: AllocatedMemory): number;
  generationOf(memory: AllocatedMemory): number;
  sizeOf(memory: AllocatedMemory): number;
  offsetOf(memory: AllocatedMemory): number;
  /** Leaves a handle where the native free looks for it, and tells so: no when the memory is not of this region, or is no
   * memory, or the region's kind asks for more. */
  stageFree(memory: unknown, region: Region): boolean;
  /** Leaves allocator, handle and size where the native functions look for them. */
  stage(memory: AllocatedMemory): void;
  /** Calls a native function that frees, and notes it where no record tells: in an arena. False when it refused. */
  end(memory: AllocatedMemory, free: () => void): boolean;
}
export let allocated: AllocatedFields;

/** Called once, by the class that has the fields. */
export function exposeAllocated(fields: AllocatedFields): void {
  allocated = fields;
}

/** What few have, or few ask for. */
function sideTable<Value>(): { get(memory: AllocatedMemory): Value | undefined; set(memory: AllocatedMemory, value: Value): void } {
  const map = new WeakMap<AllocatedMemory, Value>();
  const get = p.uncurryThis(map.get as (this: typeof map, key: AllocatedMemory) => Value | undefined);
  const set = p.uncurryThis(map.set as (this: typeof map, key: AllocatedMemory, value: Value) => unknown);
  return { get: (memory) => get(map, memory), set: (memory, value) => void set(map, memory, value) };
}
const labels = sideTable<string>();
/** Memory of overwriting rings that was freed: the rest of what is dead there was overwritten. */
const freed = sideTable<boolean>();
/** Pins of an arena's memory: the native side counts them for the arena as a whole. */
const arenaPins = sideTable<number>();
/** An arena keeps no record of a grant, so its number is made when somebody asks for it: above all ids of records. */
const arenaIds = sideTable<number>();
const ARENA_IDS = 2 ** 52;
const ARENA_IDS_PER_ISOLATE = 2 ** 30;
let arenaIdsGiven = 0;

/** Whether the memory is still this handle's. */
export function isUsable(memory: AllocatedMemory): boolean {
  const region = allocated.regionOf(memory);
  const slot = allocated.slotOf(memory);
  const generation = allocated.generationOf(memory);
  return isCurrent(region) && (isGranted(region, slot, generation) || isGrantedStill(region, slot, generation));
}

/** Refuses what is forged or dead, and what is with somebody else. */
export function usable(memory: AllocatedMemory, name: string): AllocatedMemory {
  if (!allocated.isAllocated(memory)) throw errors.invalidArgType(name, KIND, memory);
  if (!isUsable(memory)) throw deadError(memory, false);
  if (checkEscape(allocated.regionOf(memory))) throw errors.escaped(KIND, idOfMemory(memory));
  return memory;
}

/** Why memory is not there any more, for one who uses or (`frees`) frees it. */
export function deadError(memory: AllocatedMemory, frees: boolean): Error {
  const region = allocated.regionOf(memory);
  const id = idOfMemory(memory);
  if (!isOpen(region)) return errors.closed(KIND, id);
  if (!isCurrent(region)) return errors.useAfterFree(KIND, id, 'its allocator was reset');
  const isRewound = region.levels !== undefined && allocated.generationOf(memory) !== FREED;
  if (isRewound) return errors.useAfterFree(KIND, id, 'its arena was rewound');
  if (region.overwrites && freed.get(memory) === undefined) return errors.useAfterFree(KIND, id, 'newer memory of its ring took its place');
  return frees ? errors.doubleFree(KIND, id) : errors.useAfterFree(KIND, id);
}

export function idOfMemory(memory: AllocatedMemory): number {
  if (allocated.regionOf(memory).levels === undefined) return idOf(allocated.slotOf(memory), allocated.generationOf(memory));
  let id = arenaIds.get(memory);
  if (id === undefined) {
    id = ARENA_IDS + binding.isolateNumber() * ARENA_IDS_PER_ISOLATE + arenaIdsGiven;
    arenaIdsGiven += 1;
    arenaIds.set(memory, id);
  }
  return id;
}

/** Why what is no block is refused where one is due: memory of an allocator belongs to that. */
export function notBlockError(value: unknown, asked: string): Error {
  if (!allocated.isAllocated(value)) return errors.invalidArgType('block', 'MemoryBlock', value);
  if (!isUsable(value)) return errors.useAfterFree(KIND, idOfMemory(value));
  return errors.foreignBlock(KIND, idOfMemory(value), `AdvancedMemoryAllocator '${allocated.regionOf(value).owner.name}'`, asked);
}

/** The error of the last native call about memory. */
function nativeError(memory: AllocatedMemory, action: string): Error {
  const region = allocated.regionOf(memory);
  // Another thread may be about to close it, and have told only the native side so far.
  const isClosed = errors.ERROR_CODES[status() - 1] === 'ERR_OFFHEAP_CLOSED' || !isOpen(region);
  return isClosed ? errors.closed(KIND, idOfMemory(memory)) : failure(KIND, idOfMemory(memory), action);
}

export const freeInRegion: () => void = binding.allocatorFree;

/** Frees by a native call, which finds out what is dead. */
export function freeMemory(memory: AllocatedMemory): void {
  const { levels, overwrites } = allocated.regionOf(memory);
  if (levels !== undefined) refusePinned(memory);
  allocated.stage(memory);
  if (!allocated.end(memory, freeInRegion)) throw isUsable(memory) ? nativeError(memory, 'freed') : deadError(memory, true);
  if (overwrites) freed.set(memory, true);
}

/** An arena's pins are the arena's; which of its memory they are meant for is known here. */
function refusePinned(memory: AllocatedMemory): void {
  const pins = arenaPins.get(memory);
  if (pins !== undefined && pins > 0 && isUsable(memory)) throw errors.inUse(KIND, idOfMemory(memory), 'freed', pins);
}

export function pinMemory(memory: AllocatedMemory): Disposable {
  const isOfArena = allocated.regionOf(memory).levels !== undefined;
  if (isOfArena) requireStack();
  allocated.stage(memory);
  binding.allocatorPin();
  if (T[RESULT] !== 0) throw nativeError(memory, 'pinned once more');
  if (isOfArena) countArenaPin(memory, 1);
  let held = true; // of memory with a record nothing is called until somebody has what drops the pin, as in life.ts
  return {
    [p.dispose](): void {
      if (!held) return;
      if (isOfArena) requireStack();
      allocated.stage(memory);
      binding.allocatorUnpin();
      held = false;
      if (T[RESULT] !== 0) throw nativeError(memory, 'unpinned');
      if (isOfArena) countArenaPin(memory, -1);
    },
  };
}

/** An arena's free asks for its own memory's pins; of memory that has a record nothing is counted here. */
export function countArenaPin(memory: AllocatedMemory, change: number): void {
  if (allocated.regionOf(memory).levels !== undefined) arenaPins.set(memory, (arenaPins.get(memory) ?? 0) + change);
}

/** A buffer, and where in it something begins. */
export interface Place {
  readonly buffer: ArrayBuffer;
  readonly start: number;
}

export function placeOf(memory: AllocatedMemory, offset: number, length: number): Place {
  const at = allocated.offsetOf(memory) + offset;
  const window = windowOf(allocated.regionOf(memory), at, length);
  return { buffer: window.buffer, start: at - window.start };
}

export function bytesOf(memory: AllocatedMemory, offset: number, length: number): Uint8Array {
  validateRange(offset, length, allocated.sizeOf(memory));
  const { whole } = allocated.regionOf(memory);
  if (whole !== undefined) return p.uint8Over(whole, allocated.offsetOf(memory) + offset, length);
  const { buffer, start } = placeOf(memory, offset, length);
  return p.uint8Over(buffer, start, length);
}

/** A Buffer over a part of live memory. */
export function directBufferOfMemory(value: AllocatedMemory, offset: number, length: number | undefined): Buffer {
  const memory = usable(value, 'block');
  const count = length === undefined ? restOf(memory, offset) : length;
  validateRange(offset, count, allocated.sizeOf(memory));
  const { buffer, start } = placeOf(memory, offset, count);
  return p.bufferOver(buffer, start, count);
}

/** Bytes from an offset to the end; an offset that is no good is left to the range check. */
export function restOf(memory: AllocatedMemory, offset: unknown): number {
  const rest = typeof offset === 'number' ? allocated.sizeOf(memory) - offset : 0;
  return rest >= 0 ? rest : 0;
}

export function copyOf(memory: AllocatedMemory, offset: number, length: number | undefined): Buffer {
  return copyPart(memory, allocated.sizeOf(memory), offset, length === undefined ? restOf(memory, offset) : length);
}

/** A figure of its record; another thread's reset or close may have made that another owner's since we looked. */
function rowFieldOf(memory: AllocatedMemory, field: number): number | undefined {
  const row = binding.rowOf(allocated.slotOf(memory));
  return row[ROW.generation] === allocated.generationOf(memory) ? row[field] : undefined;
}

export function grantedTo(memory: AllocatedMemory): number | undefined {
  if (!isUsable(memory)) return undefined;
  const { levels } = allocated.regionOf(memory);
  return levels === undefined ? rowFieldOf(memory, ROW.actualSize) : allocated.sizeOf(memory);
}

export function ageOf(memory: AllocatedMemory): number | undefined {
  if (!isUsable(memory)) return undefined;
  const { levels, bornMs } = allocated.regionOf(memory);
  return levels === undefined ? rowFieldOf(memory, ROW.ageMs) : binding.nowMs() - bornMs;
}

/** What an access did not find ready, or why it throws. */
export function prepareMemory(memory: AllocatedMemory, error: unknown): void {
  if (!allocated.isAllocated(memory)) throw errors.invalidArgType('this', KIND, memory);
  if (error !== NOT_READY && p.hasOwn(error as object, 'code')) throw error;
  const region = allocated.regionOf(memory);
  if (checkEscape(region)) throw errors.escaped(KIND, idOfMemory(memory));
  if (error !== NOT_READY) throw error;
  showRegion(region);
}

export function textOf(memory: AllocatedMemory): string {
  const { base, owner } = allocated.regionOf(memory);
  return formatAllocated({
    id: idOfMemory(memory),
    address: base + p.toBigInt(allocated.offsetOf(memory)),
    size: allocated.sizeOf(memory),
    offset: allocated.offsetOf(memory),
    allocator: owner.name,
    valid: isUsable(memory),
  });
}

/** Notes the label that memory was given. */
export function setLabelOf(memory: AllocatedMemory, label: string): void {
  labels.set(memory, label);
}

export function labelOf(memory: AllocatedMemory): string | undefined {
  return labels.get(memory);
}

exposeMemory({
  isMemory: (value) => allocated.isAllocated(value),
  slotOf: (value, name) => {
    const memory = usable(value as AllocatedMemory, name);
    const { levels, number } = allocated.regionOf(memory);
    return levels === undefined ? allocated.slotOf(memory) : -1 - number;
  },
  generationOf: (value) => allocated.generationOf(value as AllocatedMemory),
  stayOf: (value) => allocated.slotOf(value as AllocatedMemory) * TWO_32 + (allocated.generationOf(value as AllocatedMemory) >>> 0),
  sizeOf: (value) => allocated.sizeOf(value as AllocatedMemory),
  startOf: (value) => allocated.offsetOf(value as AllocatedMemory),
  failure: (value, action) => nativeError(value as AllocatedMemory, action),
});

