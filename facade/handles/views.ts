/**
 * Views: the zero-copy windows of a live block. The first one marks the block as viewed; all of them die when it is freed.
 * Room: handles (5). May use: primordials, types, errors, options, table, holder, handle.
 */
import { constants } from 'node:buffer';
import * as errors from '../errors.js';
import { validateOffset, validateRange } from '../options.js';
import * as p from '../primordials.js';
import type { ViewConstructor } from '../types.js';
import { deadError, fields, forgedError, handleId } from './handle.js';
import type { Handle } from './handle.js';
import { exactOf, hasEscaped, holderFor, windowOf } from './holder.js';
import type { Holder } from './holder.js';
import { failure, grantedOf, isLive } from './table.js';

type Construct = (constructor: object, args: readonly unknown[]) => unknown;
const construct: Construct = Reflect.construct as never;

/** Throws unless the handle is one of ours and live. */
export function requireLive(handle: unknown, name: string): asserts handle is Handle {
  if (!fields.isHandle(handle)) throw forgedError(name, handle);
  if (!isLive(fields.slotOf(handle), fields.generationOf(handle))) throw deadError(handle);
}

/** Throws when the block's buffer was transferred away. */
export function requireHere(handle: Handle): void {
  const extra = fields.extraOf(handle);
  if (typeof extra !== 'object') return;
  if (hasEscaped(extra)) throw errors.escaped('MemoryBlock', handleId(handle));
}

/** Bytes from an offset to the end of a live block; an offset that is no good is left to the caller's range check, unasked. */
export function restFrom(handle: Handle, offset: unknown): number {
  const rest = typeof offset === 'number' ? fields.sizeOf(handle) - offset : 0;
  return rest >= 0 ? rest : 0;
}

/** The holder of a block, made at its first view. Nothing of the caller's may run between this check and the view. */
function holderOf(handle: Handle): Holder {
  const slot = fields.slotOf(handle);
  const generation = fields.generationOf(handle);
  if (!isLive(slot, generation)) throw deadError(handle); // freeAllMemory() leaves the holder with the handle
  const extra = fields.extraOf(handle);
  if (typeof extra === 'object') {
    if (hasEscaped(extra)) throw errors.escaped('MemoryBlock', handleId(handle));
    return extra;
  }
  const holder = holderFor(slot, generation, grantedOf(slot));
  if (holder === undefined) throw failure('MemoryBlock', handleId(handle), 'viewed');
  fields.setExtra(handle, holder);
  return holder;
}

/** A buffer that shows `[offset, offset + length)` of a live block; it begins there or, see {@link startIn}, at the block. */
function bufferOf(handle: Handle, holder: Holder, offset: number, length: number): ArrayBuffer {
  if (holder.buffer !== undefined) return holder.buffer;
  if (length === 0) return new ArrayBuffer(0);
  if (length > constants.MAX_LENGTH) throw errors.outOfRange('length', `<= ${constants.MAX_LENGTH} (one ArrayBuffer of this runtime)`, length);
  const buffer = windowOf(holder, fields.slotOf(handle), fields.generationOf(handle), offset, length);
  if (buffer === undefined) throw failure('MemoryBlock', handleId(handle), 'viewed');
  return buffer;
}

function startIn(holder: Holder, offset: number): number {
  return holder.buffer === undefined ? 0 : offset;
}

/** A Uint8Array over a part of a live block. */
export function bytesOf(handle: Handle, offset: number, length: number): Uint8Array {
  validateRange(offset, length, fields.sizeOf(handle));
  const holder = holderOf(handle);
  return p.uint8Over(bufferOf(handle, holder, offset, length), startIn(holder, offset), length);
}

/** A Buffer over a part of a live block. */
export function directBufferOf(handle: Handle, offset: number, length: number): Buffer {
  validateRange(offset, length, fields.sizeOf(handle));
  const holder = holderOf(handle);
  return p.bufferOver(bufferOf(handle, holder, offset, length), startIn(holder, offset), length);
}

/** Any view over a part of a live block. */
export function viewOf(handle: Handle, constructor: ViewConstructor, offset: number, length: number | undefined): unknown {
  return typedView(constructor, offset, length, fields.sizeOf(handle), (at, bytes) => {
    const holder = holderOf(handle);
    return { buffer: bufferOf(handle, holder, at, bytes), start: startIn(holder, at) };
  });
}

/** Any view over a part of `size` bytes. `from` gives a buffer and the place in it; it is asked when all arguments are checked. */
export function typedView(
  constructor: ViewConstructor,
  offset: number,
  length: number | undefined,
  size: number,
  from: (offset: number, length: number) => { readonly buffer: ArrayBuffer; readonly start: number },
): unknown {
  const width = p.viewElementSize(constructor);
  if (typeof constructor !== 'function') throw errors.invalidArgType('constructor', 'function', constructor);
  if (width === 0) throw errors.invalidArgValue('constructor', constructor, 'must be a TypedArray or DataView constructor');
  validateOffset(offset);
  if (offset % width !== 0) throw errors.outOfRange('offset', `a multiple of ${width}, the size of an element`, offset);
  validateRange(offset, 0, size);
  const count = length === undefined ? p.floor((size - offset) / width) : length;
  validateRange(0, count, p.floor((size - offset) / width));
  const { buffer, start } = from(offset, count * width);
  if (start % width !== 0) throw errors.outOfRange('offset', `at an address that is a multiple of ${width}, the size of an element`, offset);
  return construct(constructor, [buffer, start, count]);
}

/** The ArrayBuffer over exactly the block's bytes; the same object each time. */
export function arrayBufferOf(handle: Handle): ArrayBuffer {
  const size = fields.sizeOf(handle);
  const slot = fields.slotOf(handle);
  if (size > constants.MAX_LENGTH) throw errors.outOfRange('size', `<= ${constants.MAX_LENGTH} for one ArrayBuffer; take bytes(offset, length) of a part`, size);
  const holder = holderOf(handle);
  if (holder.buffer !== undefined && grantedOf(slot) === size) return holder.buffer;
  const buffer = exactOf(holder, slot, fields.generationOf(handle), size);
  if (buffer === undefined) throw failure('MemoryBlock', handleId(handle), 'viewed');
  return buffer;
}
