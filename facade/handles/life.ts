/**
 * Life: how a block ends. Whatever can refuse does so before anything has changed; then the views die, then the memory is freed.
 * Room: handles (5). May use: primordials, errors, native, table, front, holder, handle.
 */
import * as errors from '../errors.js';
import { binding } from '../native.js';
import * as p from '../primordials.js';
import { timeOf } from './front.js';
import { deadError, fields, handleId } from './handle.js';
import type { Handle } from './handle.js';
import { hasEscaped, keepIdle, killViews, liveHolder } from './holder.js';
import type { Holder } from './holder.js';
import { ARGUMENT, NATIVE_TIME, RESULT, T, failure, idOf, isLive, pinsOf, resultTime, setHandle, setWide, status, wasViewed } from './table.js';

/** Ends a block by a native function that takes slot, generation and `third` from the arguments; a dead one is a double free. */
export function endHandle(handle: Handle, end: () => void, action: string, third: number = 0): void {
  const slot = fields.slotOf(handle);
  const generation = fields.generationOf(handle);
  const extra = fields.extraOf(handle);
  if (!isLive(slot, generation)) throw errors.doubleFree('MemoryBlock', handleId(handle));
  refusePinned(handle, slot, action);
  if (typeof extra === 'object') {
    endHolder(handle, handleId(handle), slot, generation, extra, end, action, third);
  } else {
    setHandle(slot, generation);
    T[ARGUMENT + 2] = third;
    if (!fields.end(handle, end)) throw failure('MemoryBlock', handleId(handle), action);
  }
}

/** Ends a live, unpinned block by its record: kills the views, then frees, or leaves the memory to whoever has its buffer. */
function endHolder(
  handle: Handle | undefined,
  id: number,
  slot: number,
  generation: number,
  holder: Holder,
  end: () => void,
  action: string,
  third: number = 0,
): void {
  const outcome = killViews(holder);
  if (outcome === 'stuck') throw stuckError(id, action);
  setHandle(slot, generation);
  T[ARGUMENT + 2] = third;
  const freeIt = outcome === 'escaped' ? binding.freeEscaped : end;
  if (handle === undefined) freeIt();
  else fields.end(handle, freeIt);
  if (T[RESULT] !== 0) throw failure('MemoryBlock', id, action);
  if (outcome === 'dead') keepIdle(slot, holder);
}

/** Blocks that {@link sweep} freed, whose handles it did not have: slot → generation and time, the last sweep of each slot. */
const swept = p.makeIndex<{ readonly generation: number; readonly time: number }>();

/** Frees one live block of this isolate by its record. False when it must stay. `isMarked`: whether the record says that it was viewed. */
export function sweep(slot: number, generation: number, isMarked: boolean): boolean {
  if (!isLive(slot, generation) || pinsOf(slot) > 0) return false;
  if (wasViewed(slot, generation, isMarked)) {
    const holder = liveHolder(slot);
    if (holder === undefined) return false; // the handle is gone and a view may remain: left to be reported
    if (hasEscaped(holder)) return false; // its memory is with somebody else: left to its own free
    try {
      endHolder(undefined, idOf(slot, generation), slot, generation, holder, binding.freeAny, 'freed');
    } catch {
      return false; // a buffer that cannot be detached
    }
  } else {
    setHandle(slot, generation);
    binding.freeAny();
    if (status() !== 0) return false;
  }
  swept[slot] = { generation, time: resultTime() };
  return true;
}

/** When a block was freed, on the native clock; 0 while live. */
export function freedMs(handle: Handle): number {
  const extra = fields.extraOf(handle);
  if (typeof extra === 'number') return timeOf(extra);
  const slot = fields.slotOf(handle);
  const found = swept[slot];
  if (found === undefined || found.generation !== fields.generationOf(handle)) return 0;
  delete swept[slot];
  fields.setExtra(handle, found.time);
  return timeOf(found.time);
}

/** The user marked a buffer of ours as untransferable: it cannot be detached, so nothing may be freed. */
function stuckError(id: number, action: string): Error {
  return errors.inUse('MemoryBlock', id, `${action} (its ArrayBuffer was marked as untransferable)`);
}

function refusePinned(handle: Handle, slot: number, action: string): void {
  const pins = pinsOf(slot);
  if (pins > 0) throw errors.inUse('MemoryBlock', handleId(handle), action, pins);
}

/** Moves a live block to `size` bytes, ends its handle, and gives it to `fresh`, which is a handle of nothing. */
export function reallocateHandle(handle: Handle, fresh: Handle, size: number): void {
  const slot = fields.slotOf(handle);
  const generation = fields.generationOf(handle);
  const id = handleId(handle);
  if (!isLive(slot, generation)) throw deadError(handle);
  refusePinned(handle, slot, 'reallocated');
  const extra = fields.extraOf(handle);
  const holder = typeof extra === 'object' ? extra : undefined;
  if (holder !== undefined && hasEscaped(holder)) throw errors.escaped('MemoryBlock', id);
  setHandle(slot, generation);
  setWide(2, size);
  binding.prepareReallocation();
  if (status() !== 0) throw failure('MemoryBlock', id, 'reallocated');
  if (holder !== undefined) {
    const outcome = killViews(holder);
    if (outcome !== 'dead') {
      binding.abortReallocation();
      throw outcome === 'stuck' ? stuckError(id, 'reallocated') : errors.escaped('MemoryBlock', id);
    }
  }
  const time = binding.nowMs() + NATIVE_TIME;
  if (!fields.takeOver(fresh, binding.commitReallocation, handle, time)) throw failure('MemoryBlock', id, 'reallocated');
  if (holder === undefined) return;
  try {
    keepIdle(slot, holder);
  } catch {
    // The stack ends here, and what throws gives no handle. The chunk's next owner makes buffers of its own.
  }
}

/** Takes a pin, and gives what drops it; dropping it again does nothing. */
export function pinHandle(handle: Handle): Disposable {
  const slot = fields.slotOf(handle);
  const generation = fields.generationOf(handle);
  setHandle(slot, generation);
  binding.pin();
  if (T[RESULT] !== 0) throw failure('MemoryBlock', handleId(handle), 'pinned once more');
  let held = true; // nothing is called until somebody has what drops it: a call can throw where the stack ends
  return {
    [p.dispose](): void {
      if (!held) return;
      setHandle(slot, generation);
      binding.unpin();
      held = false;
      if (T[RESULT] !== 0) throw failure('MemoryBlock', handleId(handle), 'unpinned');
    },
  };
}
