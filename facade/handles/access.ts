/**
 * Access: where a block's typed getters and setters find its bytes when the short way does not lead there.
 * Room: handles (5). May use: primordials, errors and this folder.
 */
import * as errors from '../errors.js';
import * as p from '../primordials.js';
import type { SafeDataView } from '../primordials.js';
import { NOT_READY } from './accessors.js';
import { fields, forgedError, handleId } from './handle.js';
import type { Handle } from './handle.js';
import { NEAR_MAX, farView, hiddenView, showSpan } from './hidden.js';
import { giveAccessor, hasEscaped } from './holder.js';
import type { Holder } from './holder.js';
import { spanOf } from './table.js';

/** What an access did not find ready, or why it throws. */
export function prepareAccess(block: Handle, error: unknown): void {
  if (!fields.isHandle(block)) throw forgedError('this', block);
  const holder = fields.extraOf(block);
  const isViewed = typeof holder === 'object';
  if (isViewed && (error === NOT_READY || !p.hasOwn(error as object, 'code')) && hasEscaped(holder)) throw errors.escaped('MemoryBlock', handleId(block));
  if (error !== NOT_READY) throw error;
  if (isViewed) giveAccessor(holder);
  else showSpan(spanOf(fields.slotOf(block)));
}

/** Where an access of a block goes that has several buffers, or none over the whole: each of them may have been transferred away. */
export function viewOfParts(block: Handle, holder: Holder, offset: number): SafeDataView {
  if (hasEscaped(holder)) throw errors.escaped('MemoryBlock', handleId(block));
  const span = spanOf(fields.slotOf(block));
  if (offset > NEAR_MAX) return farView(span, offset); // so large that its span is its own
  if (holder.buffer !== undefined) return (holder.partAccessor ??= p.dataViewOver(holder.buffer));
  if (hiddenView(span) === undefined) showSpan(span);
  return hiddenView(span) as SafeDataView;
}
