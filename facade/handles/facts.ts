/**
 * Facts: what a block's record tells beyond its size. A live block is asked each time; a dead one tells what was read while it lived.
 * Room: handles (5). May use: primordials, types, native, clock, table, handle.
 */
import { binding } from '../native.js';
import * as p from '../primordials.js';
import type { Alignment } from '../types.js';
import { fields } from './handle.js';
import type { Handle } from './handle.js';
import { wallClock } from './clock.js';
import { isLive } from './table.js';

/** Where a row's numbers stand; crates/offheap-node/src/cold.rs writes them. */
export const ROW = {
  slot: 0,
  generation: 1,
  size: 2,
  actualSize: 3,
  address: 4,
  alignment: 5,
  label: 6,
  ageMs: 7,
  ownerKind: 8,
  ownerNumber: 9,
  pins: 10,
  flags: 11,
  threadId: 12,
  bornMs: 13,
  length: 14,
} as const;

const MODES: readonly Alignment[] = ['none', 'word', 'cache-line', 'page'];
const FIRST_MODE = 32;

/** The alignment that a code stands for (crates/offheap-core/src/tracker/state.rs, AlignmentCode). */
export function alignmentOf(code: number): Alignment {
  return code < FIRST_MODE ? 2 ** code : (MODES[code - FIRST_MODE] ?? 'none');
}

/** The code of a checked alignment: log2 of a number of bytes, or a mode. */
export function alignmentCode(mode: Alignment, log2: number): number {
  if (log2 >= 0) return log2;
  if (mode === 'word') return 33;
  if (mode === 'page') return 35;
  return mode === 'cache-line' ? 34 : 32;
}

const labels = p.makeIndex<string>();

/** The text of a label's number. */
export function labelText(label: number): string | undefined {
  if (label === 0) return undefined;
  labels[label] ??= binding.labelText(label) ?? undefined;
  return labels[label];
}

/** What a record tells. */
export interface Facts {
  readonly alignment: Alignment;
  readonly label: string | undefined;
  /** `Date.now()` milliseconds, to the clock's resolution. */
  readonly allocatedTimestamp: number;
  /** The same on the native clock, which nobody sets: what ages are counted from. */
  readonly bornMs: number;
}

const known = new WeakMap<Handle, Facts>();
const getKnown = p.uncurryThis(known.get as (this: WeakMap<Handle, Facts>, key: Handle) => Facts | undefined);
const setKnown = p.uncurryThis(known.set as (this: WeakMap<Handle, Facts>, key: Handle, facts: Facts) => unknown);

/** Facts of a block; of a dead one only if they were asked while it lived. */
export function factsOf(handle: Handle): Facts | undefined {
  const seen = getKnown(known, handle);
  if (seen !== undefined) return seen;
  const slot = fields.slotOf(handle);
  if (!isLive(slot, fields.generationOf(handle))) return undefined;
  const row = binding.rowOf(slot);
  const bornMs = row[ROW.bornMs] ?? 0;
  const facts = {
    alignment: alignmentOf(row[ROW.alignment] ?? 0),
    label: labelText(row[ROW.label] ?? 0),
    allocatedTimestamp: wallClock(bornMs),
    bornMs,
  };
  setKnown(known, handle, facts);
  return facts;
}
