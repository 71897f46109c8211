/**
 * Region: what this isolate sees of an allocator's memory between two resets. All its grants share one ArrayBuffer, made when the first
 * of them is looked at; a reset or a close moves it away, and every view over it has length 0.
 * Room: handles (5). May use: primordials, types, errors, native, front, holder, table.
 */
import { constants } from 'node:buffer';
import * as errors from '../errors.js';
import { binding } from '../native.js';
import * as p from '../primordials.js';
import type { SafeDataView } from '../primordials.js';
import type { AllocatorType } from '../types.js';
import { EPOCHS, resetsOf } from './epochs.js';
import { NO_HOMES, NO_MAGAZINE } from './front.js';
import { endBuffer, isDetached, isMarkedBuffer, movedAgain, movedOnce } from './holder.js';
import type { Outcome } from './holder.js';
import { isLent, isRecalled, isRecordLive } from './table.js';

/** Where windows begin that show a region which no one ArrayBuffer can: at each multiple, twice as long. */
const STRIDE = 1073741824;

/** A buffer, and where in the region it begins. */
export interface Window {
  readonly start: number;
  readonly length: number;
  readonly buffer: ArrayBuffer;
}

interface Windows {
  count: number;
  [index: number]: Window;
}

/** Of a region that nobody looked at. */
const NO_WINDOWS: Windows = { __proto__: null, count: 0 } as unknown as Windows;

/** How an allocator's memory came to its end. */
export type Ending = 'reset' | 'closed';

/** The allocator that grants from it. */
export interface RegionOwner {
  readonly name: string;
  readonly type: AllocatorType;
}

export class Region {
  readonly owner: RegionOwner;
  /** Number and life of the allocator, as the native side knows it. */
  readonly number: number;
  readonly life: number;
  /** How often the allocator had been reset when this began. */
  readonly resets: number;
  readonly total: number;
  /** Its first address. */
  readonly base: bigint;
  /** No one ArrayBuffer of this runtime shows it. */
  readonly isHuge: boolean;
  /** Of an arena: the generation of each level. Of others undefined: their grants have records. */
  readonly levels: Int32Array | undefined;
  /** What the checked accessors read through: a hidden view, and from the first view that a user has on one over the buffer they share,
   * so that it refuses when that was transferred away. Undefined until needed, and for what one buffer cannot show. */
  accessor: SafeDataView | undefined = undefined;
  /** The buffers that users see; one from 0 on, where one can show the whole region. */
  windows: Windows = NO_WINDOWS;
  /** The same that users saw before the last reset, moved away from them; who asks for one has it again. What nobody asked for ends with the next reset. */
  kept: Windows = NO_WINDOWS;
  /** The first of them, when it shows the whole region. */
  whole: ArrayBuffer | undefined = undefined;
  /** What no user sees, from one reset to the next too: a view of the whole, and of what no one buffer shows views by where they begin. */
  hidden: SafeDataView | undefined = undefined;
  far: p.Index<SafeDataView> | undefined = undefined;
  /** Set when it is over. */
  ending: Ending | undefined = undefined;
  /** Somebody has its buffer for good: nothing is read or written through handles any more. */
  hasEscaped: boolean = false;
  /** Whether grants come back in their order. */
  isRing: boolean = false;
  /** Of a ring: an allocation may end its oldest grants. */
  overwrites: boolean = false;
  /** Whether the native side alone knows all about a free: of what has records that only a free ends. */
  isPlain: boolean = false;
  /** Of an arena: the piece of it that this isolate cuts by itself, and where it begins, bytes. */
  stretch: number = NO_MAGAZINE;
  stretchAt: number = 0;
  /** By size: where grants lie that need no native call (front.ts). */
  homes: Uint16Array = NO_HOMES;
  /** The size that was served last, and in which magazine memory for it lies: what `homes` says of that size, which as a rule is the next one's too and then
   * takes one load where `homes` takes three, each of which waits for the one before. */
  lastSize: number = -1;
  lastHome: number = NO_MAGAZINE;
  /** Which of the epochs' words is `turn` while the region is current and this isolate has what was lent to it, so that it hands grants out
   * by itself. */
  readonly turnAt: number = 0;
  turn: number = 0;
  /** When it began, on the native clock. */
  readonly bornMs: number = binding.nowMs();

  constructor(owner: RegionOwner, number: number, life: number, resets: number, total: number, base: bigint, levels: Int32Array | undefined) {
    this.owner = owner;
    this.number = number;
    this.life = life;
    this.resets = resets;
    this.total = total;
    this.base = base;
    this.turnAt = 4 * number + 3;
    const turn = p.loadOrdered(EPOCHS, this.turnAt);
    this.turn = isOf(number, life, resets) ? turn : -1; // asked afterwards: all three are of one moment
    this.isHuge = total > constants.MAX_LENGTH;
    this.levels = levels;
  }
}

/** Whether a grant is still there: by its record, or of an arena by its level's generation. */
export const isGranted = (region: Region, slot: number, generation: number): boolean => {
  const { levels } = region;
  return levels === undefined ? isLent(slot, generation) || isRecordLive(slot, generation) : levels[slot] === generation;
};

/** The same of what that finds dead, for certain. */
export const isGrantedStill = (region: Region, slot: number, generation: number): boolean =>
  region.levels === undefined && isRecalled(slot, generation);

/** Whether an allocator is still in one of its lives, and was not reset since. */
const isOf = (number: number, life: number, resets: number): boolean => EPOCHS[4 * number] === life && EPOCHS[4 * number + 1] === resets;

/** Whether an allocator is still open, as far as this isolate and others know. */
export const isOpen = (region: Region): boolean => region.ending !== 'closed' && EPOCHS[4 * region.number] === region.life;

/** Whether nobody reset or closed the allocator since the region began. */
export const isCurrent = (region: Region): boolean =>
  region.ending === undefined && isOf(region.number, region.life, region.resets);

/** Whether it is certain that nobody did. */
export const isUnchanged = (region: Region): boolean => EPOCHS[region.turnAt] === region.turn;

/** Whether one of the region's buffers was transferred away; then it stays so. */
export function checkEscape(region: Region): boolean {
  if (region.hasEscaped) return true;
  for (let index = 0; index < region.windows.count; index += 1) {
    if (isDetached((region.windows[index] as Window).buffer)) region.hasEscaped = true;
  }
  return region.hasEscaped;
}

/** A new ArrayBuffer over a part of the region. With `seen` users get it: a region that they see is not used again before this isolate has
 * left it. */
function over(region: Region, start: number, length: number, seen?: 1): ArrayBuffer {
  const buffer = binding.regionBuffer(region.number, region.life, start, length, seen);
  if (buffer !== undefined) return buffer;
  if (!isOpen(region)) throw errors.closed('AdvancedMemoryAllocator', region.owner.name); // by another thread, since we looked
  throw errors.notSupported('A view', 'this runtime allows no ArrayBuffers over native memory');
}

/** The part of the region that one buffer shows in which `[offset, offset + length)` lies. */
function partOf(region: Region, offset: number, length: number): { readonly start: number; readonly length: number } {
  if (!region.isHuge) return { start: 0, length: region.total };
  const start = p.floor(p.min(offset, region.total - 1) / STRIDE) * STRIDE; // at the very end: the last part
  if (offset - start + length <= 2 * STRIDE) return { start, length: p.min(2 * STRIDE, region.total - start) };
  if (length > constants.MAX_LENGTH) throw errors.outOfRange('length', `<= ${constants.MAX_LENGTH} (one ArrayBuffer of this runtime)`, length);
  return { start: offset, length };
}

/** The buffer through which users see `[offset, offset + length)`. */
export function windowOf(region: Region, offset: number, length: number): Window {
  const part = partOf(region, offset, length);
  const shown = find(region.windows, part.start, part.length);
  if (shown !== undefined) return shown;
  const kept = find(region.kept, part.start, part.length);
  const window = kept ?? { ...part, buffer: movedOnce(over(region, part.start, part.length, 1)) };
  addWindow(region, window);
  return window;
}

function find(windows: Windows, start: number, length: number): Window | undefined {
  for (let index = 0; index < windows.count; index += 1) {
    const window = windows[index] as Window;
    if (window.start === start && window.length === length) return window;
  }
  return undefined;
}

function addWindow(region: Region, window: Window): void {
  if (region.windows === NO_WINDOWS) region.windows = { __proto__: null, count: 0 } as unknown as Windows;
  region.windows[region.windows.count] = window;
  region.windows.count += 1;
  if (window.length !== region.total) return;
  region.whole = window.buffer;
  region.accessor = p.dataViewOver(window.buffer);
}

/** Makes what the checked accessors of a region read through that one buffer can show. */
export function showRegion(region: Region): void {
  if (region.isHuge || region.accessor !== undefined) return;
  // Not what is kept: that would be moved at each reset for users who never look, and V8 collects for what is moved.
  region.hidden ??= p.dataViewOver(over(region, 0, region.total));
  region.accessor = region.hidden;
}

/** The view for an access at `offset` of a region that no one buffer shows; read it at `offset % STRIDE`. */
export function farAccessor(region: Region, offset: number): SafeDataView {
  const { start, length } = partOf(region, offset, 8);
  region.far ??= p.makeIndex();
  return (region.far[start / STRIDE] ??= p.dataViewOver(over(region, start, length)));
}

export const farPlace = (offset: number): number => offset % STRIDE;

/** Whether a buffer of the region cannot be detached, because a user marked it. */
export function isStuck(region: Region): boolean {
  for (let index = 0; index < region.windows.count; index += 1) if (isMarkedBuffer((region.windows[index] as Window).buffer)) return true;
  return false;
}

/** Kills every view of the region; nothing of it is handed out again. */
export function endRegion(region: Region, ending: Ending): Outcome {
  region.ending = ending;
  region.accessor = undefined;
  region.whole = undefined;
  const { windows, kept } = region;
  for (let index = 0; index < kept.count; index += 1) {
    const { start, length, buffer } = kept[index] as Window;
    if (find(windows, start, length) === undefined) endBuffer(buffer); // nobody saw it
  }
  region.windows = region.kept = NO_WINDOWS;
  return endWindows(region, windows, ending);
}

/** Moves, or ends, the buffers that users saw. */
function endWindows(region: Region, windows: Windows, ending: Ending): Outcome {
  let outcome: Outcome = 'dead';
  let count = 0;
  for (let index = 0; index < windows.count; index += 1) {
    const window = windows[index] as Window;
    const buffer = ending === 'reset' ? movedAgain(window.buffer) : undefined;
    if (buffer !== undefined) {
      windows[count] = { ...window, buffer };
      count += 1;
      continue;
    }
    const ended = endBuffer(window.buffer);
    if (ended !== 'dead') outcome = ended;
  }
  if (outcome !== 'dead') region.hasEscaped = true; // one that a user marked stays attached
  else if (count > 0) {
    windows.count = count;
    region.kept = windows;
  }
  return outcome;
}

/** The same region after a reset. What showed it shows it again: a new buffer after each reset took 30 us, for V8 counts its bytes and collects the last one. */
export function renewed(ended: Region): Region {
  const { owner, number, life, total, base, levels } = ended;
  const region = new Region(owner, number, life, resetsOf(number), total, base, levels);
  region.hasEscaped = ended.hasEscaped;
  region.overwrites = ended.overwrites;
  region.isRing = ended.isRing;
  region.isPlain = ended.isPlain;
  region.hidden = ended.hidden;
  region.far = ended.far;
  region.kept = ended.kept;
  ended.kept = NO_WINDOWS;
  if (!region.hasEscaped) region.accessor = region.hidden;
  return region;
}

/** Ends what was closed, here or by another thread, or what a worker leaves at its end: the region is used again when nobody sees it. */
export function leaveRegion(region: Region): void {
  if (region.ending !== undefined) return;
  endRegion(region, 'closed');
  // At once: V8 counts their bytes, and collects for their sake. Where a handle asks for its level there is none then, so it is dead.
  if (region.hidden !== undefined) endBuffer(region.hidden.buffer as ArrayBuffer);
  region.hidden = undefined;
  if (region.levels !== undefined) endBuffer(p.viewBuffer(region.levels) as ArrayBuffer);
  binding.regionLeft(region.number, region.life, region.hasEscaped ? 1 : 0);
}
