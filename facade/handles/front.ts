/**
 * Front: chunks that the native side lent to this isolate, taken and given back without a native call. They lie in magazines in the
 * table, one for each small class and one for each pool. The words about a slot tell whose it is meanwhile: the generation there is the
 * one store that decides. The layout is crates/offheap-core/src/tracker/{isolate,magazine,lent}.rs.
 * Room: handles (5). May use: native, primordials, table.
 */
import { binding } from '../native.js';
import * as p from '../primordials.js';
import { ARGUMENT, CLOCK, FRONT, NATIVE_TIME, T } from './table.js';

const { noteTaken } = binding;

/** Bytes of lent chunks in the program's hands, and the most since a native call last looked; modulo 2^32. */
const LIVE = 2;
const HIGH = 3;

/** 1 while this isolate may be between its look whether an allocator is its alone and its last store: until it is 0 again nobody takes
 * over what is lent to it. Stored in place and not by a function, which could throw where the stack ends. */
export const BUSY = 4;

/** First word of the first magazine, and words from one to the next. */
const FIRST = 64;
const WORDS = 80;
/** Words of a magazine: how many slots are in it, how many may be, what was taken out, whether to zero what was written, the slots. */
const CAPACITY = 1;
const TAKEN = 2;
const WIPES = 3;
const SLOTS = 4;
/** Of a magazine of grants: bytes of them in the program's hands, modulo 2^32. */
const GRANTED = 68;
/** Where a magazine would begin that is always empty. */
export const NO_MAGAZINE = 40;

/** Words about a slot, after the generation. The last one is of a grant where it begins, in units of 16 bytes. */
const HOME = 1;
const BORN = 2;
const WRITTEN = 3;
const HOME_SHIFT = 16;

/** The magazines of classes and pools, and those of classes alone, begin no later than this. */
export const FIRST_MAGAZINE: number = FIRST;
export const LAST_MAGAZINE = 65535;
export const LAST_CLASS_MAGAZINE: number = FIRST + 39 * WORDS;

/** The largest block that comes from a class's magazine. */
export const LENT_MAX = 32768;
/** The bit of a count that changes each time it has gone a quarter around. */
const QUARTER = 0x40000000;
/** The last generation that is live. */
const LAST_GENERATION = 536870909;

/** The magazine of the smallest class that holds `size` bytes, 1 to {@link LENT_MAX} (crates/offheap-core/src/alloc/chunks/classes.rs). */
const magazineFor = (size: number): number => {
  const last = size - 1;
  if (size <= 64) return FIRST + (last >>> 4) * WORDS;
  const log2 = 31 - p.clz32(last);
  return FIRST + (4 * log2 - 20 + ((last >>> (log2 - 2)) & 3)) * WORDS;
};

/** Lets the native side look at a magazine's counts, each time that one has gone a quarter around. */
function tellTaken(magazine: number): void {
  T[ARGUMENT] = magazine;
  noteTaken();
}

/**
 * Takes the newest slot out of a magazine; it is live from now on, and `home` says of which magazine and how large. `amount` is counted as
 * taken, `size` in the word `live`. 0 when a native call is due: nothing is there, the clock stands, or the slot's last generation is over.
 * Nothing is called between the first store and the last: a call can throw where the stack ends.
 */
const takeSlot = (magazine: number, home: number, amount: number, live: number, size: number): number => {
  const length = T[magazine] as number;
  const now = T[CLOCK] as number;
  if (length === 0 || now === 0) return 0;
  const slot = T[magazine + SLOTS - 1 + length] as number;
  const at = FRONT + (slot << 2);
  const generation = (T[at] as number) + 1;
  if (generation > LAST_GENERATION) return 0;
  T[magazine] = length - 1;
  T[at + HOME] = home;
  T[at + BORN] = now;
  T[at] = generation;
  const liveBefore = T[live] as number;
  const liveNow = (liveBefore + size) | 0;
  T[live] = liveNow;
  if (live === LIVE && ((liveNow - (T[HIGH] as number)) | 0) > 0) T[HIGH] = liveNow;
  const takenBefore = T[magazine + TAKEN] as number;
  const takenNow = (takenBefore + amount) | 0;
  T[magazine + TAKEN] = takenNow;
  if ((((liveNow ^ liveBefore) | (takenNow ^ takenBefore)) & QUARTER) !== 0) tellTaken(magazine);
  return slot;
};

/** The slot of a block of `size` bytes, live from now on; its generation stands at {@link FRONT}. 0 when a native call is due. */
export const takeLent = (size: number): number => {
  const magazine = magazineFor(size);
  return takeSlot(magazine, (magazine << HOME_SHIFT) | size, size, LIVE, size);
};

/** The same from a pool's magazine, whose blocks are all of `size` bytes. */
export const takePooled = (magazine: number, size: number): number => takeSlot(magazine, magazine << HOME_SHIFT, 1, LIVE, size);

/**
 * Ends what is live, has no views and came from one of the magazines `first` to `last`: its slot goes back there. `isGrant`: an allocator
 * counts it. Returns when, see {@link timeOf}; 0 when nothing happened, for a native call is due or it is dead. No calls, as above.
 */
const giveSlot = (slot: number, generation: number, size: number, first: number, last: number, isGrant: boolean): number => {
  const at = FRONT + (slot << 2);
  if (T[at] !== generation) return 0;
  const magazine = (T[at + HOME] as number) >>> HOME_SHIFT;
  if (magazine < first || magazine > last) return 0;
  const length = T[magazine] as number;
  if (length >= (T[magazine + CAPACITY] as number) || (T[at + WRITTEN] !== 0 && T[magazine + WIPES] !== 0)) return 0;
  const now = T[CLOCK] as number;
  if (now === 0) return 0;
  T[at] = generation + 1;
  T[magazine + SLOTS + length] = slot;
  T[magazine] = length + 1;
  const live = isGrant ? magazine + GRANTED : LIVE;
  const before = T[live] as number;
  const after = (before - size) | 0;
  T[live] = after;
  if (((after ^ before) & QUARTER) !== 0) tellTaken(magazine);
  return now;
};

/** Ends a live block. */
export const giveLent = (slot: number, generation: number, size: number, first: number, last: number): number =>
  giveSlot(slot, generation, size, first, last, false);

/** The largest request of an allocator that is served from a magazine. */
export const GRANT_MAX = 16384;

/** Where the grants of each size lie, for {@link takeGrant}: nowhere yet. */
export function makeHomes(): Uint16Array {
  return p.filledUint16(GRANT_MAX + 1, NO_MAGAZINE);
}

/** The same from a magazine of an allocator's grants; {@link grantOffset} tells where it begins. */
export const takeGrant = (magazine: number, size: number): number =>
  takeSlot(magazine, (magazine << HOME_SHIFT) | size, 1, magazine + GRANTED, size);

/** Words of a piece of an arena, in place of slots: units that were cut, all units, level and generation, log2 of a unit's bytes. */
const CUT = 4;
const UNITS = 5;
const LEVEL = 6;
const STAY = 7;
const UNIT_SHIFT = 8;

/** Cuts `size` bytes, at most {@link GRANT_MAX}, off an arena's piece, and gives where they begin in it; −1 when it has not so many. */
export const cutStretch = (magazine: number, size: number): number => {
  const shift = T[magazine + UNIT_SHIFT] as number;
  const cut = T[magazine + CUT] as number;
  const next = cut + ((size + (1 << shift) - 1) >>> shift);
  if (next > (T[magazine + UNITS] as number)) return -1;
  T[magazine + CUT] = next;
  T[magazine + GRANTED] = ((T[magazine + GRANTED] as number) + size) | 0;
  T[magazine + TAKEN] = ((T[magazine + TAKEN] as number) + 1) | 0; // looked at with each piece
  return cut << shift;
};

/** Level and generation of what is cut off it. */
export const stretchLevel = (magazine: number): number => T[magazine + LEVEL] as number;
export const stretchStay = (magazine: number): number => T[magazine + STAY] as number;

/** Where a lent grant begins in its region, bytes. */
export const grantOffset = (slot: number): number => ((T[FRONT + (slot << 2) + WRITTEN] as number) >>> 0) * 16;

/** Ends a live grant that needs no native call. False when it does, or is dead. */
export const giveGrant = (slot: number, generation: number, size: number): boolean =>
  giveSlot(slot, generation, size, FIRST, LAST_MAGAZINE, true) !== 0;

/** Milliseconds of a tick, and how many there are. */
const TICK_MS = 4;
const TICKS = 4294967296;

/** When a block was freed, on the native clock, ms, of what its handle keeps: a tick, which is the latest such moment, or a native time. */
export function timeOf(kept: number): number {
  if (kept >= NATIVE_TIME) return kept - NATIVE_TIME;
  const now = p.floor(binding.nowMs() / TICK_MS);
  const rest = (now - kept) % TICKS; // both modulo 2^32
  const ago = rest < 0 ? rest + TICKS : rest;
  return (now - (ago > TICKS - 64 ? 0 : ago)) * TICK_MS; // one that was noted a moment later is now
}
