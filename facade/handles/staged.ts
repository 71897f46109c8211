/**
 * Staged: memory operations on blocks the short way. What these do not do at once, the functions of operand.ts do, or refuse.
 * Room: handles (5). May use: primordials, native, table, handle, hidden, holder, block, granted.
 */
import { types } from 'node:util';
import { compareStaged, copyStaged, fillStaged, mismatchStaged } from '../native.js';
import * as p from '../primordials.js';
import { liveSlot, shownPart, shownWhole, stageRange } from './block.js';
import { stageAny, stageGranted } from './granted.js';
import { fields } from './handle.js';
import type { Handle } from './handle.js';
import type { SafeBytes, SafeDataView } from '../primordials.js';
import { hiddenBytes, hiddenView, showSpan } from './hidden.js';
import { bytesOf } from './holder.js';
import type { Holder } from './holder.js';
import { ARGUMENT, RESULT, T, noteWritten, offsetOf, spanOf, wide } from './table.js';

const { isUint8Array } = types;

const OTHER = ARGUMENT + 4;
const LENGTH = ARGUMENT + 8;
const DETAIL = ARGUMENT + 10;

/** Up to this length, bytes, JavaScript copies within a span and fills by itself: 64 KiB. A native call costs 3 to 15 ns more (AMD Zen 5, Node 20 and 24;
 * `npm run bench:crossover` measures it anew), 2 % of what so much takes; and far above it the native side walks as the processor likes it. */
export const HERE_MAX = 65536;

/** Up to this length, bytes, JavaScript copies and fills all of a viewed block, and between a block and a Uint8Array: 1 MiB. A native call costs 20 ns
 * more, with a Uint8Array 50 (as of {@link HERE_MAX}), and of so much the same function of the C library does the work. */
export const SET_MAX = 1048576;

/** Up to this length, bytes, a loop copies all of a viewed block: 4. `set` takes as long as 5 turns (as of {@link HERE_MAX}). */
export const TURNS_MAX = 4;

/** Up to this length, bytes, a loop compares: 32. A native call takes as long as some 40 bytes in it (AMD Zen 5, Node 20 and 24, `npm run bench:crossover`). */
export const LOOP_MAX = 32;

/** Up to this length, bytes, a loop fills with a pattern: 64. A native call takes as long as some 100 bytes in it (as of {@link HERE_MAX}). */
export const PATTERN_MAX = 64;

/** What {@link compareBlocks} and {@link mismatchBlocks} give when they did not look. */
export const NOT_DONE = -2;

/** Whether a number is one that these functions take: above 0 and below 2^32. Of what is no number nothing is asked: its answer could be code. */
const isLength = (length: unknown): boolean => typeof length === 'number' && length >>> 0 === length && length !== 0;

const stageLength = (length: number): void => {
  T[LENGTH] = length;
  T[LENGTH + 1] = 0;
};

/** What the native side calls a mode, of {@link copyBlocks}; −1 when it is none, or its arguments do not fit together. */
export const quickMode = (mode: unknown, elementSize: unknown, length: unknown): number => {
  if (mode === 'swap-endian') {
    const width = elementSize === undefined ? 8 : elementSize;
    const isWidth = width === 8 || width === 4 || width === 2 || width === 16;
    return isWidth && isLength(length) && ((length as number) & (width - 1)) === 0 ? width : -1;
  }
  if (elementSize !== undefined) return -1;
  if (mode === undefined || mode === 'normal') return 0;
  return mode === 'non-temporal' ? 1 : -1;
};

/** Copies in a {@link quickMode}. False when that is not done. */
export const copyBlocks = (source: unknown, sourceOffset: number, target: unknown, targetOffset: number, length: number, mode: number): boolean => {
  if (!isLength(length) || !stageAny(source, 1, sourceOffset, length) || !stageAny(target, 0, targetOffset, length)) return false;
  stageLength(length);
  T[DETAIL] = mode;
  copyStaged();
  return T[RESULT] === 0;
};

/** Copies all of a block that was viewed into another one, whose bytes {@link bytesOf} made too. False when that is not done: also when the memory of
 * one is with somebody else, for then it shows nothing. That the other was written to need not be noted: of a viewed block it is believed. */
export const copyWhole = (source: unknown, target: unknown, targetOffset: number, length: number): boolean => {
  try {
    const bytes = shownWhole(source as object, length);
    if (bytes === undefined || length > SET_MAX) return false;
    const place = shownPart(target as object, targetOffset, length);
    if (place === undefined) return false;
    if (length <= TURNS_MAX) return copyByTurns(bytes, place, targetOffset, length);
    place.set(bytes, targetOffset);
    return true;
  } catch {
    return false; // of what is no object, and of memory that is with somebody else
  }
};

const copyByTurns = (source: SafeBytes, target: SafeBytes, targetOffset: number, length: number): boolean => {
  if (source.length === 0 || target.length === 0) return false;
  for (let at = 0; at < length; at += 1) target[targetOffset + at] = source[at] as number;
  return true;
};

/**
 * Copies up to {@link HERE_MAX} bytes without a native call; the ranges may overlap. False when that is not done. A block that was viewed is read and
 * written through its own buffer, which shows nothing when it is not there any more, others through the hidden view of their span. Of blocks that no
 * one buffer shows a place may be behind what that shows.
 */
export const copyHere = (source: unknown, sourceOffset: number, target: unknown, targetOffset: number, length: number): boolean => {
  if (!isLength(length) || length > HERE_MAX) return false;
  const from = liveSlot(source, sourceOffset, length);
  const to = liveSlot(target, targetOffset, length);
  if ((from | to) < 0) return false;
  const read = fields.extraOf(source as Handle) as Holder | undefined; // live: so they are no times
  const written = fields.extraOf(target as Handle) as Holder | undefined;
  const bytes = read && bytesOf(read, fields.sizeOf(source as Handle));
  const place = written && bytesOf(written, fields.sizeOf(target as Handle));
  if (bytes?.length === length) {
    if (place !== undefined) return setBytes(place, targetOffset, bytes, length, to);
    return written === undefined && setBytes(hiddenBytes(spanOf(to)), offsetOf(to) + targetOffset, bytes, length, to);
  }
  if ((read !== undefined && !bytes?.length) || (written !== undefined && !place?.length)) return false;
  return copyWithin(from, sourceOffset, to, targetOffset, length);
};

const setBytes = (bytes: SafeBytes | undefined, place: number, source: SafeBytes, length: number, slot: number): boolean => {
  if (bytes === undefined || place > bytes.length - length) return false;
  noteWritten(slot);
  bytes.set(source, place);
  return true;
};

/** Copies within one span. False when that is not done: between two spans a view had to be made first, and that takes as long as the native call. */
const copyWithin = (from: number, sourceOffset: number, to: number, targetOffset: number, length: number): boolean => {
  const span = spanOf(to);
  if (span !== spanOf(from)) return false;
  const bytes = hiddenBytes(span);
  const start = offsetOf(from) + sourceOffset;
  const place = offsetOf(to) + targetOffset;
  if (bytes === undefined || place > bytes.length - length || start > bytes.length - length) return false;
  noteWritten(to);
  bytes.copyWithin(place, start, start + length);
  return true;
};

const isPart = (bytes: unknown, offset: number, length: number): bytes is Uint8Array =>
  isUint8Array(bytes) && typeof offset === 'number' && offset >>> 0 === offset && offset <= p.typedArrayLength(bytes) - length;

/** A copy of bytes of JavaScript's into a block. False when that is not done. */
export const copyIn = (source: unknown, sourceOffset: number, target: unknown, targetOffset: number, length: number): boolean => {
  if (!isLength(length) || length > SET_MAX || !isPart(source, sourceOffset, length)) return false;
  const slot = stageRange(target, ARGUMENT, targetOffset, length);
  if (slot < 0) return false;
  const span = hiddenBytes(spanOf(slot));
  const place = offsetOf(slot) + targetOffset;
  if (span === undefined || place > span.length - length) return false;
  const isAll = length === p.typedArrayLength(source);
  span.set(isAll ? source : p.uint8Over(p.typedArrayBuffer(source) as ArrayBuffer, p.typedArrayByteOffset(source) + sourceOffset, length), place);
  noteWritten(slot);
  return true;
};

/** A copy of a block's bytes to JavaScript's. False when that is not done. */
export const copyOut = (source: unknown, sourceOffset: number, target: unknown, targetOffset: number, length: number): boolean => {
  if (!isLength(length) || length > SET_MAX || !isPart(target, targetOffset, length)) return false;
  const bytes = sourceOffset === 0 && fields.isHandle(source) ? shownWhole(source, length) : undefined;
  if (bytes !== undefined && bytes.length === length) {
    p.setBytes(target, bytes as Uint8Array, targetOffset);
    return true;
  }
  const slot = stageRange(source, ARGUMENT, sourceOffset, length);
  if (slot < 0) return false;
  const span = hiddenBytes(spanOf(slot));
  const place = offsetOf(slot) + sourceOffset;
  if (span === undefined || place > span.length - length) return false;
  p.setBytes(target, p.uint8Over(span.buffer as ArrayBuffer, place, length), targetOffset);
  return true;
};

/** Four bytes of a pattern from `at` on, which begins anew after `last`. */
const wordAt = (pattern: Uint8Array, at: number, last: number): number =>
  (pattern[at & last] as number) |
  ((pattern[(at + 1) & last] as number) << 8) |
  ((pattern[(at + 2) & last] as number) << 16) |
  ((pattern[(at + 3) & last] as number) << 24);

/** Leaves a byte, 0 … 255, or a pattern of 1, 2, 4, 8 or 16 bytes where the native side looks for it. False for what is none. */
export const stageValue = (value: unknown): boolean => {
  if (typeof value === 'number') {
    if ((value & 0xff) !== value) return false;
    T[DETAIL] = T[DETAIL + 1] = T[DETAIL + 2] = T[DETAIL + 3] = p.imul(value, 0x01010101);
    return true;
  }
  if (!isUint8Array(value)) return false;
  const last = p.typedArrayLength(value) - 1;
  if (last < 0 || last > 15 || (last & (last + 1)) !== 0) return false;
  const first = wordAt(value, 0, last);
  const second = last < 4 ? first : wordAt(value, 4, last);
  T[DETAIL] = first;
  T[DETAIL + 1] = second;
  T[DETAIL + 2] = last < 8 ? first : wordAt(value, 8, last);
  T[DETAIL + 3] = last < 8 ? second : wordAt(value, 12, last);
  return true;
};

/** Fills with a byte or a pattern. False when that is not done. */
export const fillBlock = (block: unknown, offset: number, length: number, value: unknown): boolean => {
  if (!isLength(length)) return false;
  if (length <= SET_MAX && typeof value === 'number' && (value & 0xff) === value && fillHere(block, offset, length, value)) return true;
  if (!stageValue(value)) return false;
  const slot = stageRange(block, ARGUMENT, offset, length);
  if (slot < 0) return stageGranted(block, 0, offset, length) && fillNatively(length);
  if (length <= PATTERN_MAX && fillByTurns(slot, offset, length)) return true;
  return fillNatively(length);
};

const fillNatively = (length: number): boolean => {
  stageLength(length);
  fillStaged();
  return T[RESULT] === 0;
};

/** Fills as {@link copyHere} copies; all of a viewed block up to {@link SET_MAX}. */
const fillHere = (block: unknown, offset: number, length: number, value: number): boolean => {
  const slot = liveSlot(block, offset, length);
  if (slot < 0) return false;
  const holder = fields.extraOf(block as Handle);
  const bytes = holder === undefined ? hiddenBytes(spanOf(slot)) : bytesOf(holder as Holder, fields.sizeOf(block as Handle));
  const place = holder === undefined ? offsetOf(slot) + offset : offset;
  if (bytes === undefined || place > bytes.length - length) return false;
  const isAll = length === bytes.length;
  if (!isAll && length > HERE_MAX) return false;
  noteWritten(slot);
  if (isAll) bytes.fill(value); // without a range it takes 4 ns less
  else bytes.fill(value, place, place + length);
  return true;
};

/** Fills with the pattern that was left for the native side, four bytes at a time. */
const fillByTurns = (slot: number, offset: number, length: number): boolean => {
  const view = viewOf(slot);
  const start = offsetOf(slot) + offset;
  if (start > view.byteLength - length) return false;
  noteWritten(slot);
  let at = 0;
  for (; at <= length - 16; at += 16) {
    view.setInt32(start + at, T[DETAIL] as number, true);
    view.setInt32(start + at + 4, T[DETAIL + 1] as number, true);
    view.setInt32(start + at + 8, T[DETAIL + 2] as number, true);
    view.setInt32(start + at + 12, T[DETAIL + 3] as number, true);
  }
  for (; at <= length - 4; at += 4) view.setInt32(start + at, T[DETAIL + ((at >>> 2) & 3)] as number, true);
  for (; at < length; at += 1) view.setInt8(start + at, (T[DETAIL + ((at >>> 2) & 3)] as number) >>> ((at & 3) << 3));
  return true;
};

const viewOf = (slot: number): SafeDataView => {
  const span = spanOf(slot);
  if (hiddenView(span) === undefined) showSpan(span);
  return hiddenView(span) as SafeDataView;
};

/** Four bytes at a time, then one: what is left, and where four differ. Gives the length when all are the same, −1 when it did not look. */
const firstDifference = (one: number, aOffset: number, other: number, bOffset: number, length: number): number => {
  const a = viewOf(one);
  const b = viewOf(other);
  const start = offsetOf(one) + aOffset;
  const place = offsetOf(other) + bOffset;
  if (start > a.byteLength - length || place > b.byteLength - length) return -1;
  let at = 0;
  while (at <= length - 4 && a.getInt32(start + at) === b.getInt32(place + at)) at += 4;
  while (at < length && a.getUint8(start + at) === b.getUint8(place + at)) at += 1;
  return at;
};

const compareHere = (one: number, aOffset: number, other: number, bOffset: number, length: number): number => {
  const at = firstDifference(one, aOffset, other, bOffset, length);
  if (at < 0) return NOT_DONE;
  return at === length ? 0 : viewOf(one).getUint8(offsetOf(one) + aOffset + at) < viewOf(other).getUint8(offsetOf(other) + bOffset + at) ? -1 : 1;
};

/** −1, 0 or 1, or {@link NOT_DONE}. */
export const compareBlocks = (a: unknown, aOffset: number, b: unknown, bOffset: number, length: number): number => {
  if (!isLength(length)) return NOT_DONE;
  const one = stageRange(a, ARGUMENT, aOffset, length);
  const other = stageRange(b, OTHER, bOffset, length);
  if (one < 0 && !stageGranted(a, 0, aOffset, length)) return NOT_DONE;
  if (other < 0 && !stageGranted(b, 1, bOffset, length)) return NOT_DONE;
  if (length <= LOOP_MAX && (one | other) >= 0) {
    const order = compareHere(one, aOffset, other, bOffset, length);
    if (order !== NOT_DONE) return order;
  }
  stageLength(length);
  compareStaged();
  return T[RESULT] === 0 ? (T[RESULT + 1] as number) : NOT_DONE;
};

/** An index, −1, or {@link NOT_DONE}. */
export const mismatchBlocks = (a: unknown, aOffset: number, b: unknown, bOffset: number, length: number): number => {
  if (!isLength(length)) return NOT_DONE;
  const one = stageRange(a, ARGUMENT, aOffset, length);
  const other = stageRange(b, OTHER, bOffset, length);
  if (one < 0 && !stageGranted(a, 0, aOffset, length)) return NOT_DONE;
  if (other < 0 && !stageGranted(b, 1, bOffset, length)) return NOT_DONE;
  if (length <= LOOP_MAX && (one | other) >= 0) {
    const at = firstDifference(one, aOffset, other, bOffset, length);
    if (at >= 0) return at === length ? -1 : at;
  }
  stageLength(length);
  mismatchStaged();
  return T[RESULT] === 0 ? wide(1) - 1 : NOT_DONE;
};
