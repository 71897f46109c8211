/**
 * Refusals: why an allocator could not be opened, or could not do what it was asked.
 * Room: refusals (7). May use: everything below, not manager.
 */
import * as errors from './errors.js';
import { alignmentOf } from './handles/facts.js';
import { isOpen } from './handles/region.js';
import type { Region } from './handles/region.js';
import { figure, status } from './handles/table.js';
import { binding } from './native.js';
import type { CheckedAlignment } from './options.js';
import * as p from './primordials.js';
import { eachAllocator } from './stats.js';
import type { OpenAllocator } from './stats.js';
import type { AllocatorType } from './types.js';

export const KIND = 'AdvancedMemoryAllocator';

/** What a name was first asked with in this isolate. */
export interface Settings {
  readonly name: string;
  readonly type: AllocatorType;
  readonly totalSize: number;
  readonly alignment: CheckedAlignment;
  readonly overflow: 'error' | 'overwrite-oldest';
}

/** Refuses what only an arena has. */
export function requireArena(type: AllocatorType, asked: string): void {
  if (type !== 'arena') throw errors.notSupported(asked, `a ${type} allocator has no order of allocation; use an arena`);
}

/** There is no room now. */
export function fullError(name: string, requested: number): Error {
  return errors.regionFull(name, requested, figure(6));
}

/** The error of the last native call about an allocator. */
export function failureOf({ settings, region }: { readonly settings: Settings; readonly region: Region }, action: string, size: number = 0): Error {
  const { name } = settings;
  switch (errors.ERROR_CODES[status() - 1]) {
    case 'ERR_OUT_OF_RANGE':
      return errors.outOfRange('size', `<= ${figure(6)}, the most that this allocator can ever grant`, size);
    case 'ERR_OFFHEAP_REGION_FULL':
      return action === 'marked' ? errors.notSupported('mark()', 'too many marks are alive; rewind() or reset() first') : fullError(name, size);
    case 'ERR_INVALID_ARG_VALUE':
      return errors.invalidArgValue('mark', 'a stale one', 'must be of this arena, and not rewound past');
    case 'ERR_OFFHEAP_IN_USE':
      return errors.inUse(KIND, name, action, figure(6));
    case 'ERR_OFFHEAP_OUT_OF_MEMORY':
      return errors.outOfMemory(figure(4), figure(6));
    case 'ERR_OFFHEAP_CLOSED':
      return errors.closed(KIND, name);
    default:
      return errors.corrupted(KIND, name, `it cannot be ${action}${isOpen(region) ? '' : ', and is closed'}`);
  }
}

/** Why an allocator could not be opened. */
export function openError(settings: Settings): Error {
  const { name, type, totalSize, alignment } = settings;
  switch (errors.ERROR_CODES[status() - 1]) {
    case 'ERR_OFFHEAP_CONFIG_MISMATCH':
      return mismatch(settings);
    case 'ERR_OUT_OF_RANGE':
      return figure(4) > totalSize || (figure(4) === alignment.value && totalSize > figure(6))
        ? errors.outOfRange('alignment', `possible for ${totalSize} bytes of a ${type} allocator`, alignment.value)
        : errors.outOfRange('totalSize', `>= ${p.max(figure(4), 1)} and possible for a ${type} allocator`, totalSize);
    case 'ERR_OFFHEAP_LIMIT':
      return errors.limitReached(figure(4), figure(6), binding.limit());
    case 'ERR_OFFHEAP_OUT_OF_MEMORY':
      return errors.outOfMemory(totalSize, figure(6));
    default:
      return errors.invalidArgValue('name', name, 'must be a name that UTF-8 can hold');
  }
}

/** Which of the parameters differs from those that a name has. */
function mismatch(asked: Settings): Error {
  let error: Error | undefined;
  eachAllocator((open) => {
    if (open.name === asked.name) error = mismatchOf(open, asked);
  });
  return error ?? errors.configMismatch(asked.name, 'parameters', 'others', 'these');
}

function mismatchOf({ name, type, total, alignmentCode: code, overwrites }: OpenAllocator, asked: Settings): Error {
  if (type !== asked.type) return errors.configMismatch(name, 'type', type, asked.type);
  if (total !== asked.totalSize) return errors.configMismatch(name, 'totalSize', total, asked.totalSize);
  const overflow = overwrites ? 'overwrite-oldest' : 'error';
  if (overflow !== asked.overflow) return errors.configMismatch(name, 'options.overflow', overflow, asked.overflow);
  return errors.configMismatch(name, 'alignment', alignmentOf(code), asked.alignment.value);
}
