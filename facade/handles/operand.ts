/**
 * Operand: an argument of the memory operations: a block of ours, or bytes that belong to somebody else.
 * Room: handles (5). May use: primordials, types, errors, options, native, table, handle, views.
 */
import { types } from 'node:util';
import * as errors from '../errors.js';
import type { CheckedFill } from '../options.js';
import { accessError, validateRange } from '../options.js';
import type { OperandBase } from '../native.js';
import { binding, compareStaged, copyStaged, fillStaged, mismatchStaged } from '../native.js';
import * as p from '../primordials.js';
import type { BytesLike, CopyMode, ElementSize, NativeMemory } from '../types.js';
import { fields, handleId } from './handle.js';
import { requireHere, requireLive } from './views.js';
import { ARGUMENT, RESULT, STAGED_LEVELS, T, TWO_32, failure, setWide, status, wide } from './table.js';

const { isUint8Array } = types;

/** What source, target, a and b may be. */
export type Operand = NativeMemory | BytesLike;

/** Stands for every empty operand that is no Uint8Array. */
const noBytes = new Uint8Array(0);

const EXPECTED = ['MemoryBlock', 'AllocatedMemory', 'ArrayBufferView', 'ArrayBuffer'] as const;

/** The other kind of native memory, whose file uses this one. */
interface OtherMemory {
  isMemory(value: unknown): boolean;
  /** The slot of its record, or −1 less the number of the arena that granted it; throws when it is not to be used. */
  slotOf(value: unknown, name: string): number;
  /** The generation of its record. */
  generationOf(value: unknown): number;
  /** Of what an arena granted: the generation of its level, whose number stands above the 32 bits. */
  stayOf(value: unknown): number;
  sizeOf(value: unknown): number;
  /** Where it begins in its region. */
  startOf(value: unknown): number;
  failure(value: unknown, action: string): Error;
}
const noMemory = (): never => {
  throw errors.corrupted('AllocatedMemory', 0, 'its class is not loaded');
};
let secondKind: OtherMemory = {
  isMemory: () => false,
  slotOf: noMemory,
  generationOf: noMemory,
  stayOf: noMemory,
  sizeOf: noMemory,
  startOf: noMemory,
  failure: noMemory,
};

/** Called once, by the class of the other kind. */
export function exposeMemory(memory: OtherMemory): void {
  secondKind = memory;
}

/** What the native side takes for an operand: the slot of a live block or grant, what stands for an arena, or a Uint8Array over the bytes. */
function baseOf(value: unknown, name: string): OperandBase {
  if (fields.isHandle(value)) {
    requireLive(value, name);
    requireHere(value);
    return fields.slotOf(value);
  }
  if (isUint8Array(value)) return value;
  if (secondKind.isMemory(value)) return secondKind.slotOf(value, name);
  if (p.isView(value) ? p.viewByteLength(value) === 0 : p.isArrayBuffer(value) && p.arrayBufferByteLength(value) === 0) return noBytes; // nothing can be made over a detached buffer
  if (p.isView(value)) return over(p.viewBuffer(value) as ArrayBuffer, p.viewByteOffset(value), p.viewByteLength(value));
  if (p.isArrayBuffer(value)) return over(value, 0, p.arrayBufferByteLength(value));
  throw errors.invalidArgType(name, EXPECTED, value);
}

/** A Uint8Array over a part of a buffer; an empty one over what is detached, which has no bytes and takes no view. */
function over(buffer: ArrayBuffer, offset: number, length: number): Uint8Array {
  return length === 0 ? p.uint8Over(new ArrayBuffer(0), 0, 0) : p.uint8Over(buffer, offset, length);
}

function generationOf(value: unknown, base: OperandBase): number {
  if (typeof base !== 'number') return 0;
  if (base < 0) return secondKind.stayOf(value);
  return fields.isHandle(value) ? fields.generationOf(value) : secondKind.generationOf(value);
}

function sizeOf(value: unknown, base: OperandBase): number {
  if (fields.isHandle(value)) return fields.sizeOf(value);
  return typeof base === 'number' ? secondKind.sizeOf(value) : p.typedArrayByteLength(base);
}

/** Where a range begins, as the native side counts: in the record's memory, the arena's region, or the array. */
function startIn(value: unknown, base: OperandBase, offset: number): number {
  return typeof base === 'number' && base < 0 ? secondKind.startOf(value) + offset : offset;
}

/** Leaves operands that are no arrays, and the length, where the staged functions look for them. */
function stageBoth(one: unknown, oneSlot: number, oneOffset: number, other: unknown, otherSlot: number, otherOffset: number, length: number): void {
  stageOperand(0, one, oneSlot, oneOffset);
  stageOperand(1, other, otherSlot, otherOffset);
  setWide(8, length);
}

function stageOperand(index: 0 | 1, value: unknown, slot: number, offset: number): void {
  const generation = generationOf(value, slot);
  T[ARGUMENT + 4 * index] = slot;
  T[ARGUMENT + 4 * index + 1] = generation; // of a number the array takes the lower 32 bits
  T[ARGUMENT + STAGED_LEVELS + index] = generation / TWO_32;
  setWide(4 * index + 2, startIn(value, slot, offset));
}

/** The bytes of an operand. */
export function operandSize(value: unknown, name: string): number {
  return sizeOf(value, baseOf(value, name));
}

/** Where an operand begins. */
export function operandAddress(value: unknown, name: string): bigint {
  const base = baseOf(value, name);
  if (typeof base !== 'number') return p.toBigInt(binding.viewAddress(base));
  return base < 0 ? (value as NativeMemory).address : p.toBigInt(binding.addressOf(base));
}

/** Throws when the native call was refused: about the first operand that is native memory, for the others were checked. */
export function check(action: string, value: unknown, other?: unknown): void {
  if (status() === 0) return;
  const subject = fields.isHandle(value) || secondKind.isMemory(value) ? value : other;
  if (secondKind.isMemory(subject)) throw secondKind.failure(subject, action);
  throw failure('MemoryBlock', fields.isHandle(subject) ? handleId(subject) : 0, action);
}

/** Leaves what to fill with where the native side looks for it. */
export function stagePattern(pattern: CheckedFill): void {
  for (let index = 0; index < 4; index += 1) {
    T[ARGUMENT + 10 + index] = typeof pattern === 'number' ? p.imul(pattern & 0xff, 0x01010101) : (pattern[index] as number);
  }
}

/** Fills `length` bytes of a live block. */
export function fillOperand(target: unknown, offset: number, length: number, value: CheckedFill): void {
  const base = baseOf(target, 'block');
  validateRange(offset, length, sizeOf(target, base));
  if (length === 0) return;
  stagePattern(value);
  if (typeof base === 'number') {
    stageOperand(0, target, base, offset);
    setWide(8, length);
    fillStaged();
  } else binding.fill(base, 0, offset, length);
  check('filled', target);
}

/** Calls `use` with what the native side takes for an aligned word of native memory. */
export function useWord<Result>(
  target: NativeMemory,
  offset: number,
  width: 4 | 8,
  action: string,
  use: (base: OperandBase, generation: number, start: number) => Result,
): Result {
  const base = baseOf(target, 'this');
  const size = sizeOf(target, base);
  if (!p.isInteger(offset) || offset < 0 || offset > size - width) throw accessError(offset, width, size);
  if (offset % width !== 0) throw errors.outOfRange('offset', `a multiple of ${width}`, offset);
  const result = use(base, generationOf(target, base), startIn(target, base, offset));
  if (status() !== 0 && errors.ERROR_CODES[status() - 1] === 'ERR_OUT_OF_RANGE') {
    throw errors.notSupported(`An atomic operation at ${offset}`, `its address is no multiple of ${width}; align the memory`);
  }
  check(action, target);
  return result;
}

/** Which copy the native side makes. */
export function modeNumber(mode: CopyMode, elementSize: ElementSize): number {
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
  const sourceSize = sizeOf(source, from);
  const targetSize = sizeOf(target, to);
  validateRange(sourceOffset, length, sourceSize, 'sourceOffset');
  validateRange(targetOffset, length, targetSize, 'targetOffset');
  if (length === 0) return;
  const how = modeNumber(mode, elementSize);
  if (typeof from === 'number' && typeof to === 'number') {
    stageBoth(target, to, targetOffset, source, from, sourceOffset, length);
    T[ARGUMENT + 10] = how;
    copyStaged();
    check('copied', target, source);
    return;
  }
  const place = startIn(target, to, targetOffset);
  binding.copy(to, generationOf(target, to), place, from, generationOf(source, from), startIn(source, from, sourceOffset), length, how);
  check('copied', target, source);
}

/** −1, 0 or 1: unsigned bytes, the first difference decides. */
export function compareOperands(a: unknown, aOffset: number, b: unknown, bOffset: number, length: number): -1 | 0 | 1 {
  const one = baseOf(a, 'a');
  const other = baseOf(b, 'b');
  const oneSize = sizeOf(a, one);
  const otherSize = sizeOf(b, other);
  validateRange(aOffset, length, oneSize, 'aOffset');
  validateRange(bOffset, length, otherSize, 'bOffset');
  if (length === 0) return 0;
  if (typeof one === 'number' && typeof other === 'number') {
    stageBoth(a, one, aOffset, b, other, bOffset, length);
    compareStaged();
  } else {
    binding.compare(one, generationOf(a, one), startIn(a, one, aOffset), other, generationOf(b, other), startIn(b, other, bOffset), length);
  }
  check('compared', a, b);
  return T[RESULT + 1] as -1 | 0 | 1;
}

/** The first index at which the two differ, −1 if none. */
export function mismatchOperands(a: unknown, aOffset: number, b: unknown, bOffset: number, length: number): number {
  const one = baseOf(a, 'a');
  const other = baseOf(b, 'b');
  const oneSize = sizeOf(a, one);
  const otherSize = sizeOf(b, other);
  validateRange(aOffset, length, oneSize, 'aOffset');
  validateRange(bOffset, length, otherSize, 'bOffset');
  if (length === 0) return -1;
  if (typeof one === 'number' && typeof other === 'number') {
    stageBoth(a, one, aOffset, b, other, bOffset, length);
    mismatchStaged();
    check('compared', a, b);
    return wide(1) - 1;
  }
  const index = binding.mismatch(one, generationOf(a, one), startIn(a, one, aOffset), other, generationOf(b, other), startIn(b, other, bOffset), length);
  check('compared', a, b);
  return index;
}

function bytesOver(view: ArrayBufferView | ArrayBufferLike): Uint8Array {
  if (p.isView(view)) {
    return isUint8Array(view) ? view : p.uint8Over(p.viewBuffer(view) as ArrayBuffer, p.viewByteOffset(view), p.viewByteLength(view));
  }
  const length = p.isArrayBuffer(view) ? p.arrayBufferByteLength(view) : p.sharedArrayBufferByteLength(view as SharedArrayBuffer);
  return p.uint8Over(view as ArrayBuffer, 0, length);
}

/** The address of the first byte of somebody's bytes; 0 for detached ones, which are nowhere. */
export function addressOfView(view: unknown): bigint {
  if (!p.isView(view) && !p.isAnyArrayBuffer(view)) throw errors.invalidArgType('view', ['ArrayBufferView', 'ArrayBuffer'], view);
  const buffer = p.isView(view) ? p.viewBuffer(view) : view;
  if (p.isArrayBuffer(buffer) && binding.isDetached(buffer) === 1) return 0n;
  return p.toBigInt(binding.viewAddress(bytesOver(view)));
}
