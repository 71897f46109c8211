/**
 * Operand: an argument of the memory operations: a block of ours, or bytes that belong to somebody else.
 * Room: handles (5). May use: primordials, types, errors, options, native, table, handle, views.
 */
import { types } from 'node:util';
import * as errors from '../errors.js';
import { validateRange } from '../options.js';
import type { OperandBase } from '../native.js';
import { binding } from '../native.js';
import * as p from '../primordials.js';
import type { BytesLike, CopyMode, ElementSize, NativeMemory } from '../types.js';
import { fields, handleId } from './handle.js';
import { requireHere, requireLive } from './views.js';
import { RESULT, T, failure, status } from './table.js';

const { isUint8Array } = types;

/** What source, target, a and b may be. */
export type Operand = NativeMemory | BytesLike;

const EXPECTED = ['MemoryBlock', 'ArrayBufferView', 'ArrayBuffer'] as const;

/** What the native side takes for an operand: the slot of a live block, or a Uint8Array over the bytes. */
function baseOf(value: unknown, name: string): OperandBase {
  if (fields.isHandle(value)) {
    requireLive(value, name);
    requireHere(value);
    return fields.slotOf(value);
  }
  if (isUint8Array(value)) return value;
  if (p.isView(value)) return p.uint8Over(p.viewBuffer(value) as ArrayBuffer, p.viewByteOffset(value), p.viewByteLength(value));
  if (p.isArrayBuffer(value)) return p.uint8Over(value, 0, p.arrayBufferByteLength(value));
  throw errors.invalidArgType(name, EXPECTED, value);
}

function generationOf(value: unknown): number {
  return fields.isHandle(value) ? fields.generationOf(value) : 0;
}

function sizeOf(value: unknown, base: OperandBase): number {
  if (fields.isHandle(value)) return fields.sizeOf(value);
  return typeof base === 'number' ? 0 : p.typedArrayByteLength(base);
}

/** The bytes of an operand. */
export function operandSize(value: unknown, name: string): number {
  return sizeOf(value, baseOf(value, name));
}

function check(action: string, value: unknown): void {
  if (status() !== 0) throw failure('MemoryBlock', fields.isHandle(value) ? handleId(value) : 0, action);
}

/** Sets `length` bytes of a live block. */
export function fillOperand(target: unknown, offset: number, length: number, value: number): void {
  const base = baseOf(target, 'block');
  validateRange(offset, length, sizeOf(target, base));
  if (length === 0) return;
  binding.fill(base, generationOf(target), offset, length, value & 0xff);
  check('filled', target);
}

/** Which copy the native side makes. */
function modeNumber(mode: CopyMode, elementSize: ElementSize): number {
  if (mode === 'swap-endian') return elementSize;
  return mode === 'normal' ? 0 : 1;
}

/** Copies `length` bytes; the ranges may overlap in every mode. */
export function copyOperand(
  source: unknown,
  sourceOffset: number,
  target: unknown,
  targetOffset: number,
  length: number,
  mode: CopyMode,
  elementSize: ElementSize,
): void {
  const from = baseOf(source, 'source');
  const to = baseOf(target, 'target');
  validateRange(sourceOffset, length, sizeOf(source, from), 'sourceOffset');
  validateRange(targetOffset, length, sizeOf(target, to), 'targetOffset');
  if (length === 0) return;
  const how = modeNumber(mode, elementSize);
  binding.copy(to, generationOf(target), targetOffset, from, generationOf(source), sourceOffset, length, how);
  check('copied', target);
}

/** −1, 0 or 1: unsigned bytes, the first difference decides. */
export function compareOperands(a: unknown, aOffset: number, b: unknown, bOffset: number, length: number): -1 | 0 | 1 {
  const one = baseOf(a, 'a');
  const other = baseOf(b, 'b');
  validateRange(aOffset, length, sizeOf(a, one), 'aOffset');
  validateRange(bOffset, length, sizeOf(b, other), 'bOffset');
  if (length === 0) return 0;
  binding.compare(one, generationOf(a), aOffset, other, generationOf(b), bOffset, length);
  check('compared', a);
  return T[RESULT + 1] as -1 | 0 | 1;
}

/** The first index at which the two differ, −1 if none. */
export function mismatchOperands(a: unknown, aOffset: number, b: unknown, bOffset: number, length: number): number {
  const one = baseOf(a, 'a');
  const other = baseOf(b, 'b');
  validateRange(aOffset, length, sizeOf(a, one), 'aOffset');
  validateRange(bOffset, length, sizeOf(b, other), 'bOffset');
  if (length === 0) return -1;
  const index = binding.mismatch(one, generationOf(a), aOffset, other, generationOf(b), bOffset, length);
  check('compared', a);
  return index;
}

/** The address of the first byte of somebody's bytes. */
export function addressOfView(view: unknown): bigint {
  if (p.isAnyArrayBuffer(view)) return BigInt(binding.viewAddress(p.uint8Over(view as ArrayBuffer, 0, p.isArrayBuffer(view) ? p.arrayBufferByteLength(view) : p.sharedArrayBufferByteLength(view as never))));
  if (!p.isView(view)) throw errors.invalidArgType('view', ['ArrayBufferView', 'ArrayBuffer'], view);
  return BigInt(binding.viewAddress(baseOf(view, 'view') as Uint8Array));
}
