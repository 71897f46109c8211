/**
 * Told: what a block tells of its times, and as text. A dead one too.
 * Room: handles (5). May use: format, native and this folder.
 */
import { formatBlock } from '../format.js';
import { binding } from '../native.js';
import { wallClock } from './clock.js';
import { factsOf } from './facts.js';
import { fields, handleId } from './handle.js';
import type { Handle } from './handle.js';
import { freedMs } from './life.js';
import { addressOf, isLive } from './table.js';

/** From one time of the native clock to another. */
const lifeMs = (bornMs: number, endMs: number): number => (endMs > bornMs ? endMs - bornMs : 0);

/** Milliseconds since the birth, up to the free; undefined when the birth is not known. */
export function ageOf(block: Handle): number | undefined {
  const born = factsOf(block)?.bornMs;
  return born === undefined ? undefined : lifeMs(born, freedMs(block) || binding.nowMs());
}

/** `Date.now()` milliseconds; 0 while live. */
export function freedTimestampOf(block: Handle): number {
  const ms = freedMs(block);
  if (ms === 0) return 0;
  const facts = factsOf(block);
  // The wall clock may have been set since the birth was told: a free does not come before it.
  return facts === undefined ? wallClock(ms) : facts.allocatedTimestamp + lifeMs(facts.bornMs, ms);
}

export function toText(block: Handle): string {
  const facts = factsOf(block);
  const slot = fields.slotOf(block);
  const freed = !isLive(slot, fields.generationOf(block));
  const ageMs = facts === undefined ? undefined : ageOf(block);
  const size = fields.sizeOf(block);
  return formatBlock('MemoryBlock', { id: handleId(block), address: addressOf(slot), size, alignment: facts?.alignment, ageMs, freed });
}
