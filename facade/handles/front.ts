/**
 * Front: chunks that the native side lent to this isolate, taken and given back without a native call. They lie in magazines in the
 * table, one for each small class and one for each pool. The words about a slot tell whose it is meanwhile: the generation there is the
 * one store that decides. The layout is crates/offheap-core/src/tracker/{isolate,magazine,lent}.rs.
 * Room: handles (5). May use: native, primordials, epochs, table.
 */
import { binding } from '../native.js';
import * as p from '../primordials.js';
import { EPOCHS } from './epochs.js';
import { CLASS_SIZES, CLOCK, FRONT, NATIVE_TIME, T } from './table.js';

/** Lets the native side look at what was taken, each time that a count is about to have gone a quarter around. What is live needs no look: between two
 * native calls it changes by no more than magazines hold. */
export const noteTaken: () => void = binding.noteTaken;

/** Bytes of lent chunks in the program's hands, and the most since a native call last looked; modulo 2^32. */
const LIVE = 2;
const HIGH = 3;

/** 1 while this isolate may be between its look whether it still has what an allocator lent it and its last store: until it is 0 again
 * nobody takes that over. */
export const BUSY = 4;

/** First word of the first magazine, and words from one to the next. */
const FIRST = 64;
const WORDS = 80;
/** Words of a magazine: how many slots are in it, how many may be, what was taken out, the most that the word about what was written may be,
 * the slots. */
const CAPACITY = 1;
const TAKEN = 2;
const WRITTEN_MAX = 3;
const SLOTS = 4;
/** The newest slot, less the length. */
export const NEWEST = 3;
/** Of a magazine of grants: bytes of them in the program's hands, modulo 2^32. */
const GRANTED = 68;
/** Of it, and of an arena's: the allocator's turn while they are lent. */
export const TURN = 69;
/** Where a magazine would begin that is always empty. */
export const NO_MAGAZINE = 40;

/** Words about a slot, after the generation. */
export const HOME = 1;
export const BORN = 2;
const WRITTEN = 3;
/** In its place, of a grant: where it begins in its region, in units of 16 bytes. */
export const GRANT_OFFSET = 3;
export const HOME_SHIFT = 16;

/** Magazines begin no earlier than this. */
export const FIRST_MAGAZINE: number = FIRST;

/** The largest block that comes from a class's magazine. */
export const LENT_MAX = 32768;
/** The lowest bit of a count that changes only when it has gone a quarter around. */
const QUARTER_SHIFT = 30;
/** Masks that leave where a magazine begins, and a slot, as they are, and tell V8 that the sums made of them are small. */
export const HOME_MASK = 0xffff;
export const SLOT_MASK = 0xffffff;
/** The last generation that is live. */
const LAST_GENERATION = 536870909;

/** Where the magazine of the smallest class begins that holds so many units of 16 bytes: the steps of all classes are such units. */
export const classHomes: Uint16Array = p.filledUint16(LENT_MAX / 16 + 1, NO_MAGAZINE);
for (let kind = 0, filled = 1; filled <= LENT_MAX / 16; kind += 1) {
  const units = (CLASS_SIZES[kind] as number) / 16;
  p.fillUint16(classHomes, FIRST + kind * WORDS, filled, units + 1);
  filled = units + 1;
}

// The four functions that take a slot out of a magazine and put one in. Nothing is called in them from the first store on: a call can throw
// where the stack ends, and what was taken would be nobody's. And every byte of their bytecode counts: V8 inlines into a loop only up to 920 bytes, and what is
// inlined as a whole, from `acquire()` to the end of `release()`, makes no object at all when it dies in the loop.

/**
 * Takes a block's newest slot out of a magazine; it is live from now on, and `home` says of which magazine and how large. `amount` is
 * counted as taken. 0 when a native call is due: nothing is there, the clock stands, or the slot's last generation is over.
 */
export const takeSlot = (magazine: number, home: number, amount: number, size: number): number => {
  const t = T;
  const count = magazine + TAKEN;
  const before = t[count] as number;
  const taken = (before + amount) | 0;
  if ((taken ^ before) >>> QUARTER_SHIFT) noteTaken();
  const length = t[magazine] as number;
  const now = t[CLOCK] as number;
  if (!length || !now) return 0;
  const slot = t[magazine + length + NEWEST] as number;
  const at = FRONT + (slot << 2);
  const generation = (t[at] as number) + 1;
  if (generation > LAST_GENERATION) return 0;
  t[magazine] = length - 1;
  t[at + HOME] = home;
  t[at + BORN] = now;
  t[at] = generation;
  const live = ((t[LIVE] as number) + size) | 0;
  t[LIVE] = live;
  if (((live - (t[HIGH] as number)) | 0) > 0) t[HIGH] = live;
  t[count] = taken;
  return slot;
};

/**
 * Ends a block that is live and has no views: its slot goes back to `magazine`, if `home` is what {@link takeSlot} was told. Returns when,
 * see {@link timeOf}; 0 when nothing happened, for a native call is due or it is dead. The caller knows the magazine: where it is read from
 * the table, each free waits for the loads of the allocation before it, 5 ns in a loop.
 */
export const giveSlot = (slot: number, generation: number, magazine: number, home: number, size: number): number => {
  const t = T;
  const at = FRONT + (slot << 2);
  if (t[at] !== generation || t[at + HOME] !== home) return 0;
  const length = t[magazine] as number;
  const now = t[CLOCK] as number;
  if (!now || length >= (t[magazine + CAPACITY] as number) || (t[at + WRITTEN] as number) > (t[magazine + WRITTEN_MAX] as number)) return 0;
  t[at] = generation + 1;
  t[magazine + length + SLOTS] = slot;
  t[magazine] = length + 1;
  t[LIVE] = ((t[LIVE] as number) - size) | 0;
  return now;
};

/**
 * As {@link takeSlot}, of an allocator, which counts its grants itself: if the epochs say `turn`, so that nothing was recalled. `create` makes the handle,
 * before anything is taken; what was read until then is still so if the turn is, for nobody else changes it in a turn. Undefined when a native call is due.
 */
export const grantTaker = <Lender extends { readonly turnAt: number; readonly turn: number }, Memory>(
  words: Int32Array,
  epochs: Int32Array,
  note: () => void,
  create: (region: Lender, size: number, slot: number, generation: number, units: number) => Memory,
) => (region: Lender, magazine: number, size: number): Memory | undefined => {
  const t = words;
  const home = magazine & HOME_MASK;
  const taken = (t[home + TAKEN] as number) + 1;
  if (!(taken << (32 - QUARTER_SHIFT))) note(); // before anything else is read: it is a native call
  const length = t[home] as number;
  const now = t[CLOCK] as number;
  if (!length || !now) return undefined;
  const slot = (t[(home + length + NEWEST) | 0] as number) & SLOT_MASK;
  const at = FRONT + (slot << 2);
  const generation = (t[at] as number) + 1;
  if (generation > LAST_GENERATION) return undefined;
  const memory = create(region, size, slot, generation, t[at + GRANT_OFFSET] as number);
  t[BUSY] = 1;
  if (epochs[region.turnAt] !== region.turn) {
    t[BUSY] = 0;
    return undefined;
  }
  t[home] = length - 1;
  t[at + HOME] = (home << HOME_SHIFT) | size;
  t[at + BORN] = now;
  t[at] = generation;
  t[home + GRANTED] = (t[home + GRANTED] as number) + size;
  t[home + TAKEN] = taken;
  t[BUSY] = 0;
  return memory;
};

/** As {@link giveSlot}, of an allocator. False when a native call is due, or the grant is dead. */
const grantGiver = (words: Int32Array, epochs: Int32Array) => (slot: number, generation: number, magazine: number, size: number, turnAt: number, turn: number): boolean => {
  const t = words;
  let given = false;
  t[BUSY] = 1;
  if (epochs[turnAt] === turn) {
    const at = FRONT + (slot << 2);
    const length = t[magazine] as number;
    if (t[at] === generation && t[at + HOME] === ((magazine << HOME_SHIFT) | size) && t[CLOCK] && length < (t[magazine + CAPACITY] as number)) {
      t[at] = generation + 1;
      t[magazine + length + SLOTS] = slot;
      t[magazine] = length + 1;
      const granted = magazine + GRANTED;
      t[granted] = (t[granted] as number) - size;
      given = true;
    }
  }
  t[BUSY] = 0;
  return given;
};

/** The magazine that a live block came from; below {@link FIRST_MAGAZINE} when it came from none. */
export const magazineOf = (slot: number): number => (T[FRONT + (slot << 2) + HOME] as number) >>> HOME_SHIFT;

/** The largest request of an allocator that needs no native call. As a mask it leaves every size as it is that has an entry in what
 * {@link makeHomes} gives. */
export const GRANT_MAX = 32767;

/** Where the grants of each size lie, for {@link grantTaker}: nowhere yet. */
export function makeHomes(): Uint16Array {
  return p.filledUint16(GRANT_MAX + 1, NO_MAGAZINE);
}

/** What regions have until the native side has lent them something. */
export const NO_HOMES: Uint16Array = makeHomes();

/** Words of a piece of an arena, in place of slots: units that were cut, all units, level and generation, log2 of a unit's bytes. */
const CUT = 4;
const UNITS = 5;
export const STRETCH_LEVEL = 6;
export const STRETCH_STAY = 7;
const UNIT_SHIFT = 8;

/** Cuts `size` bytes, at most {@link GRANT_MAX}, off an arena's piece, and gives where they begin in it; −1 when it has not so many, or when
 * the epochs do not say `turn`. Level and generation of what was cut do not change while there is a piece. */
const stretchCutter = (words: Int32Array, epochs: Int32Array) => (magazine: number, size: number, turnAt: number, turn: number): number => {
  const t = words;
  let at = -1;
  t[BUSY] = 1;
  if (epochs[turnAt] === turn) {
    const shift = t[magazine + UNIT_SHIFT] as number;
    const cut = t[magazine + CUT] as number;
    const next = cut + ((size + (1 << shift) - 1) >>> shift);
    if (next <= (t[magazine + UNITS] as number)) {
      t[magazine + CUT] = next;
      const granted = magazine + GRANTED;
      t[granted] = (t[granted] as number) + size;
      const count = magazine + TAKEN;
      t[count] = (t[count] as number) + 1; // looked at with each piece
      at = cut << shift;
    }
  }
  t[BUSY] = 0;
  return at;
};

export const giveGrant: ReturnType<typeof grantGiver> = grantGiver(T, EPOCHS);
export const cutStretch: ReturnType<typeof stretchCutter> = stretchCutter(T, EPOCHS);

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
