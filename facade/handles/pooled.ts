/**
 * Pooled: blocks that belong to a pool of this isolate. Their records say so; the pool itself is known by its number while it is open.
 * Room: handles (5). May use: primordials, errors, native, life, handle, table.
 */
import * as errors from '../errors.js';
import { binding, freeNative } from '../native.js';
import * as p from '../primordials.js';
import { fields, forgedError, handleId } from './handle.js';
import type { Handle } from './handle.js';
import { endHandle } from './life.js';
import { isLive, poolNumberOf } from './table.js';

/** An open pool, for the rooms below it. */
export interface PoolOwner {
  /** "MemoryPool 'frames'". */
  readonly title: string;
  /** A block came back, or is gone for good. */
  released(): void;
}
const open = p.makeIndex<PoolOwner>();
const { freeAny, poolRelease } = binding;

/** From now on the blocks of that number are the pool's. */
export function openPool(number: number, owner: PoolOwner): void {
  open[number] = owner;
}

/** Blocks in use are their holders' alone from now on. */
export function closePool(number: number): void {
  delete open[number];
}

/** The open pool of a live block. */
export function poolOf(handle: Handle): PoolOwner | undefined {
  const slot = fields.slotOf(handle);
  const number = poolNumberOf(slot);
  return number < 0 || !isLive(slot, fields.generationOf(handle)) ? undefined : open[number];
}

/** Refuses a block of a pool, for those who own none. */
export function refusePooled(handle: Handle, asked: string): void {
  const owner = poolOf(handle);
  if (owner !== undefined) throw errors.foreignBlock('MemoryBlock', handleId(handle), owner.title, asked);
}

/** Ends a pool's block, wherever it was released: the views die, then it is back, or freed when the pool is closed. */
export function releaseHandle(handle: Handle): void {
  const owner = poolOf(handle);
  endHandle(handle, freeAny, 'released');
  owner?.released();
}

/** Ends a block for an open pool, to which it belongs. */
export function releaseTo(handle: Handle, number: number, owner: PoolOwner): void {
  endHandle(handle, poolRelease, 'released', number);
  owner.released();
}

/** Frees by a native call what has views, is a pool's, or is refused. */
export function freeViewed(block: Handle): void {
  if (!fields.isHandle(block)) throw forgedError('this', block);
  if (poolNumberOf(fields.slotOf(block)) < 0) endHandle(block, freeNative, 'freed');
  else releaseHandle(block); // also of a pool that is closed
}
