/**
 * Rings: places that the native side lent to this isolate, taken in the ring's order and ended without a native call. Nobody counts either:
 * the native side has a list of what is lent, and finds in the table's words what became of it (crates/offheap-core/src/manager/allocators/lying.rs).
 * Room: handles (5). May use: types, apart, front, region, table.
 */
import type { AllocatedMemory } from '../types.js';
import { apart } from './apart.js';
import { BORN, BUSY, GRANT_MAX, GRANT_OFFSET, HOME, HOME_MASK, HOME_SHIFT, NEWEST, NO_MAGAZINE, SLOT_MASK } from './front.js';
import type { Region } from './region.js';
import { CLOCK, FRONT } from './table.js';

/** Units of 16 bytes whose bytes are a small integer: a field that holds nothing else needs no second object for each handle. */
export const NEAR_UNITS = 0x7ffffff;

/** What hands out and ends the places of rings. Of both all is in one function, and every byte of their bytecode counts, as in front.ts. */
export interface Course {
  /** A ring's next place, or what another function gives. */
  takeNext<State extends { readonly region: Region }, Other>(
    state: State,
    size: number,
    label: string | undefined,
    otherwise: (state: State, size: number, label: string | undefined) => Other,
  ): AllocatedMemory | Other;
  /** Ends a place that is lent. False for everything else. */
  endPlace(memory: unknown, region: Region): boolean;
}

/** `create` makes a handle, of a grant that begins where so many units of 16 bytes end; the others are fields of one. */
export function makeCourse(
  words: Int32Array,
  epochs: Int32Array,
  create: (region: Region, size: number, slot: number, generation: number, units: number) => AllocatedMemory,
  regionOf: (memory: AllocatedMemory) => Region,
  slotOf: (memory: AllocatedMemory) => number,
  generationOf: (memory: AllocatedMemory) => number,
): Course {
  return {
    takeNext: (state, size, label, otherwise) => {
      const { region } = state;
      if (size === region.lastSize && label === undefined) {
        const t = words;
        const home = region.lastHome & HOME_MASK;
        const length = t[home] as number;
        const now = t[CLOCK] as number;
        if (length && now) {
          // All that has to be called is called before anything is taken. What is read here is still so if the turn is: nobody else changes it in a turn.
          const slot = (t[(home + length + NEWEST) | 0] as number) & SLOT_MASK;
          const at = FRONT + (slot << 2);
          const generation = (t[at] as number) + 1; // the native side lends none whose last one is over
          const memory = create(region, size, slot, generation, t[at + GRANT_OFFSET] as number);
          t[BUSY] = 1;
          if (epochs[region.turnAt] === region.turn) {
            t[home] = length - 1;
            t[at + HOME] = (home << HOME_SHIFT) | size;
            t[at + BORN] = now;
            t[at] = generation;
            t[BUSY] = 0;
            return memory;
          }
          t[BUSY] = 0;
        }
      }
      return apart(otherwise, state, size, label);
    },
    endPlace: (memory, region) => {
      const t = words;
      let at = 0;
      let generation = 0;
      try {
        if (regionOf(memory as AllocatedMemory) !== region) return false;
        at = FRONT + (slotOf(memory as AllocatedMemory) << 2);
        generation = generationOf(memory as AllocatedMemory);
      } catch {
        return false; // what is no memory throws at its first private field
      }
      let ended = false;
      t[BUSY] = 1;
      if (epochs[region.turnAt] === region.turn && t[at] === generation) {
        t[at] = generation + 1; // nothing goes into a magazine: room comes back in the order of the grants
        ended = true;
      }
      t[BUSY] = 0;
      return ended;
    },
  };
}

/** Whether places that lie ready serve another size than the last as well: then they are looked for there. */
export function followSize(region: Region, size: unknown): boolean {
  if (typeof size !== 'number' || (size & GRANT_MAX) !== size || size === region.lastSize) return false;
  const home = region.homes[size] as number;
  if (home === NO_MAGAZINE) return false;
  region.lastSize = size;
  region.lastHome = home;
  return true;
}
