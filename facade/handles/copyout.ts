/**
 * Copyout: a block's bytes on the JavaScript heap, and as text. Both are of a copy, so another thread's writes do no harm.
 * Room: handles (5). May use: errors, options, primordials, handle, hidden, operand, table, views.
 */
import { Buffer } from 'node:buffer';
import * as errors from '../errors.js';
import { validateRange } from '../options.js';
import * as p from '../primordials.js';
import { fields } from './handle.js';
import type { Handle } from './handle.js';
import { hiddenBytes } from './hidden.js';
import { copyOperand } from './operand.js';
import { offsetOf, spanOf } from './table.js';
import { restFrom } from './views.js';

const { allocUnsafeSlow, isEncoding } = Buffer;

/** A copy of a part of a live block (default: to the end). */
export function copyOf(block: Handle, offset: number, length: number | undefined): Buffer {
  return copyPart(block, fields.sizeOf(block), offset, length === undefined ? restFrom(block, offset) : length);
}

/** Up to this length, bytes, JavaScript copies by itself: 16 KiB. A native call costs some 130 ns more (AMD Zen 5, Node 20 and 24), and 200 with a Buffer of up to
 * 64 B, which has no memory of its own until a native call asks for it. */
const HERE_MAX = 16384;

/** False when that is not done: for one, of what an allocator granted, which another thread may reset meanwhile. */
function copyHere(memory: unknown, offset: number, copy: Buffer, length: number): boolean {
  if (length > HERE_MAX || !fields.isHandle(memory)) return false;
  const slot = fields.slotOf(memory);
  const span = hiddenBytes(spanOf(slot));
  const place = offsetOf(slot) + offset;
  if (span === undefined || place > span.length - length) return false;
  p.setBytes(copy, p.uint8Over(span.buffer as ArrayBuffer, place, length), 0);
  return true;
}

/** A copy of a part of live memory of a size. */
export function copyPart(memory: unknown, size: number, offset: number, length: number): Buffer {
  validateRange(offset, length, size);
  const copy = heapBuffer(length);
  if (!copyHere(memory, offset, copy, length)) copyOperand(memory, offset, copy, 0, length, 'normal', 8);
  return copy;
}

/** A Buffer on the heap, of any size that the runtime has. */
function heapBuffer(size: number): Buffer {
  try {
    return allocUnsafeSlow(size);
  } catch (error) {
    // A refused allocation has no code, or from Node 24 on one of its own; a size above the runtime's limit has ours.
    throw (error as { code?: unknown }).code === 'ERR_OUT_OF_RANGE' ? error : errors.outOfMemory(size);
  }
}

type Slice = (buffer: Buffer) => string;
type Slices = { readonly [name: string]: Slice | undefined };

/** Buffer's own decoders: `toString` would ask the prototype for them, which is the user's to change. */
function slices(): Slices {
  const methods = Buffer.prototype as unknown as { [name: string]: ((this: Buffer) => string) | undefined };
  const take = (name: string): Slice | undefined => {
    const method = methods[name];
    return method === undefined ? undefined : p.uncurryThis(method);
  };
  const [utf8, latin1, ucs2] = [take('utf8Slice'), take('latin1Slice'), take('ucs2Slice')];
  return {
    __proto__: null as never,
    utf8,
    'utf-8': utf8,
    latin1,
    binary: latin1,
    ucs2,
    'ucs-2': ucs2,
    utf16le: ucs2,
    'utf-16le': ucs2,
    hex: take('hexSlice'),
    ascii: take('asciiSlice'),
    base64: take('base64Slice'),
    base64url: take('base64urlSlice'),
  };
}

const decoders = slices();
const toText: (buffer: Buffer, encoding: BufferEncoding) => string = p.uncurryThis(Buffer.prototype.toString) as never;

/** The text of bytes that nobody else has. */
export function decode(bytes: Buffer, encoding: BufferEncoding): string {
  const decoder = decoders[p.toLowerCase(encoding)];
  try {
    return decoder === undefined ? toText(bytes, encoding) : decoder(bytes);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_STRING_TOO_LONG') throw error;
    throw errors.outOfRange('length', 'short enough for one string of this runtime', bytes.length);
  }
}

/** Refuses an encoding that Buffer does not know. */
export function validateEncoding(encoding: unknown): void {
  if (typeof encoding !== 'string') throw errors.invalidArgType('encoding', 'string', encoding);
  if (!isEncoding(encoding)) throw errors.invalidArgValue('encoding', encoding, 'must be an encoding that Buffer knows');
}
