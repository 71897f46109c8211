/**
 * Options: what callers hand us is `unknown` until it went through here. Each validator throws the documented error; the good case is
 * a `typeof` and a comparison or two, and errors are made out of line.
 * Room: options (3). May use: primordials, types, format, errors.
 */
import { types } from 'node:util';
import { formatBytes } from './format.js';
import { invalidArgType, invalidArgValue, outOfRange } from './errors.js';
import type { Coded } from './errors.js';
import * as p from './primordials.js';
import { AlignmentMode, AllocatorType, CopyMode } from './types.js';
import type { Alignment, AtomicType, ElementSize } from './types.js';

const { isUint8Array } = types;

// Not destructured: a bundler would make an object of the whole module, with Object.prototype's properties in it.
const MAX_SAFE_INTEGER = p.MAX_SAFE_INTEGER;
const isInteger = p.isInteger;

// === Numbers ===

function integerError(value: unknown, name: string, least: number, most: number): Coded<Error> {
  if (typeof value !== 'number') return invalidArgType(name, 'number', value);
  return isInteger(value) || value === Infinity || value === -Infinity
    ? outOfRange(name, `>= ${least} && <= ${most}`, value)
    : outOfRange(name, 'an integer', value);
}

/** An integer 1 … 2^53 − 1. */
export function validateSize(value: unknown, name: string = 'size'): asserts value is number {
  if (typeof value !== 'number' || !isInteger(value) || value < 1 || value > MAX_SAFE_INTEGER) {
    throw integerError(value, name, 1, MAX_SAFE_INTEGER);
  }
}

/** An integer 0 … 2^53 − 1; −0 passes and counts as 0. */
export function validateLength(value: unknown, name: string = 'length'): asserts value is number {
  if (typeof value !== 'number' || !isInteger(value) || value < 0 || value > MAX_SAFE_INTEGER) {
    throw integerError(value, name, 0, MAX_SAFE_INTEGER);
  }
}

/** As {@link validateLength}. */
export function validateOffset(value: unknown, name: string = 'offset'): asserts value is number {
  validateLength(value, name);
}

/** `0 ≤ offset`, `0 ≤ length`, `offset + length ≤ size`, without ever adding. `size` is ours and right. */
export function validateRange(offset: unknown, length: unknown, size: number, offsetName?: string, lengthName?: string): void {
  const numbers = typeof offset === 'number' && typeof length === 'number' && isInteger(offset) && isInteger(length);
  if (!numbers || offset < 0 || length < 0 || offset > size - length) throw rangeError(offset, length, size, offsetName, lengthName);
}

/** The error that {@link validateRange} throws, for callers that compare for themselves. */
export function rangeError(offset: unknown, length: unknown, size: number, offsetName = 'offset', lengthName = 'length'): Coded<Error> {
  if (typeof offset !== 'number' || !isInteger(offset) || offset < 0 || offset > size) return integerError(offset, offsetName, 0, size);
  return integerError(length, lengthName, 0, size - offset);
}

/** The error of an access to `width` bytes at a bad `offset` of `size` bytes. */
export function accessError(offset: unknown, width: number, size: number): Coded<Error> {
  if (size >= width) return integerError(offset, 'offset', 0, size - width);
  if (typeof offset !== 'number') return invalidArgType('offset', 'number', offset);
  return outOfRange('offset', `inside memory of at least ${width} bytes; this has ${size}`, offset);
}

/** A byte to fill with: an integer −128 … 255. */
export function validateByteValue(value: unknown, name: string = 'value'): asserts value is number {
  if (typeof value !== 'number' || !isInteger(value) || value < -128 || value > 255) {
    throw integerError(value, name, -128, 255);
  }
}

/** {@link FillValue}, checked: a byte, or 16 bytes as four words. */
export type CheckedFill = number | Int32Array;

/** What to fill with. The bytes of a pattern are read here, once. */
export function validateFillValue(value: unknown, name: string = 'value'): CheckedFill {
  if (!isUint8Array(value)) {
    if (typeof value !== 'number') throw invalidArgType(name, ['number', 'Uint8Array'], value);
    validateByteValue(value, name);
    return value;
  }
  const count = p.typedArrayLength(value);
  if (count === 0 || count > 16 || (count & (count - 1)) !== 0) throw invalidArgValue(name, value, 'must be 1, 2, 4, 8 or 16 bytes long');
  const words = new Int32Array(4);
  for (let index = 0; index < 16; index += 1) words[index >> 2] = (words[index >> 2] as number) | ((value[index % count] as number) << (8 * (index & 3)));
  return words;
}

/** Milliseconds, an integer ≥ 0. */
export function validateMaxAge(value: unknown, name: string = 'maxAgeMs'): asserts value is number {
  validateLength(value, name);
}

/** Bytes, an integer ≥ 0 (0: nothing more), or null for no limit. */
export function validateLimit(value: unknown, name: string = 'bytes'): asserts value is number | null {
  if (value === null) return;
  if (typeof value !== 'number') throw invalidArgType(name, ['number', 'null'], value);
  validateLength(value, name);
}

// === Values of a list ===

/** An alignment that was checked. One frozen object per value: comparing by identity is fine. */
export interface CheckedAlignment {
  /** What the caller asked for, as `block.alignment` shows it. */
  readonly value: Alignment;
  readonly isNumeric: boolean;
  /** The named mode; `'none'` when numeric. */
  readonly mode: AlignmentMode;
  /** log2 of the bytes when numeric, 0 … 30; −1 for a mode, whose bytes only the OS knows. */
  readonly log2: number;
}

const LOG2_MAX = 30;
const NUMERIC_ALIGNMENTS: readonly CheckedAlignment[] = p.freeze(
  Array.from({ length: LOG2_MAX + 1 }, (_, log2) => p.freeze({ value: 1 << log2, isNumeric: true, mode: AlignmentMode.NONE, log2 })),
);

function named(mode: AlignmentMode): CheckedAlignment {
  return p.freeze({ value: mode, isNumeric: false, mode, log2: -1 });
}
const NONE = named('none');
const WORD = named('word');
const CACHE_LINE = named('cache-line');
const PAGE = named('page');

/** Undefined is `'word'`. */
export function validateAlignment(value: unknown, name: string = 'alignment'): CheckedAlignment {
  if (value === undefined || value === 'word') return WORD;
  if (typeof value === 'number') {
    const checked = value >= 1 && (value & (value - 1)) === 0 ? NUMERIC_ALIGNMENTS[31 - p.clz32(value)] : undefined;
    if (checked !== undefined && checked.value === value) return checked;
  }
  if (value === 'page') return PAGE;
  if (value === 'cache-line') return CACHE_LINE;
  if (value === 'none') return NONE;
  throw alignmentError(value, name);
}

function alignmentError(value: unknown, name: string): Coded<Error> {
  if (typeof value === 'string') return listError(value, name, AlignmentMode);
  if (typeof value !== 'number') return invalidArgType(name, ['number', 'string'], value);
  let rest = value;
  while (rest > 2 ** LOG2_MAX && rest < Infinity) rest /= 2;
  if (rest === 2 ** LOG2_MAX) return outOfRange(name, `<= ${2 ** LOG2_MAX} (${formatBytes(2 ** LOG2_MAX)})`, value);
  return invalidArgValue(name, value, 'must be a power of two, 1 to 2^30, or an AlignmentMode');
}

function listError(value: unknown, name: string, list: { readonly [key: string]: string }): Coded<Error> {
  if (typeof value !== 'string') return invalidArgType(name, 'string', value);
  let text = '';
  const names = p.keys(list);
  for (let index = 0; index < names.length; index += 1) {
    const key = names[index] as string;
    text += `${text === '' ? '' : ', '}'${list[key]}'`;
  }
  return invalidArgValue(name, value, `must be one of: ${text}`);
}

/** Undefined is `'normal'`. */
export function validateCopyMode(value: unknown, name: string = 'mode'): CopyMode {
  if (value === undefined) return 'normal';
  if (value === 'normal' || value === 'non-temporal' || value === 'swap-endian') return value;
  throw listError(value, name, CopyMode);
}

export function validateAllocatorType(value: unknown, name: string = 'type'): AllocatorType {
  const names = p.keys(AllocatorType);
  for (let index = 0; index < names.length; index += 1) {
    const key = names[index] as keyof typeof AllocatorType;
    if (AllocatorType[key] === value) return value as AllocatorType;
  }
  throw listError(value, name, AllocatorType);
}

/** Undefined is 8. */
export function validateElementSize(value: unknown, name: string = 'elementSize'): ElementSize {
  if (value === undefined) return 8;
  if (value === 8 || value === 4 || value === 2 || value === 16) return value;
  throw typeof value === 'number' ? invalidArgValue(name, value, 'must be 2, 4, 8 or 16') : invalidArgType(name, 'number', value);
}

/** What a byte swap may cover. `length` was checked before. */
export function validateSwapLength(length: number, elementSize: ElementSize, name: string = 'length'): void {
  if (length % elementSize !== 0) throw invalidArgValue(name, length, `must be a multiple of elementSize, ${elementSize}`);
}

// === Options and names ===

export const TEXT_LENGTH_MAX = 256;

/** 1 … 256 characters. Half a character has no UTF-8 of its own, so two such names would be one. */
export function validateName(value: unknown, name: string = 'name'): asserts value is string {
  if (typeof value !== 'string') throw invalidArgType(name, 'string', value);
  if (value.length === 0 || value.length > TEXT_LENGTH_MAX) throw invalidArgValue(name, value, `must have 1 to ${TEXT_LENGTH_MAX} characters`);
  if (!p.isWellFormed(value)) throw invalidArgValue(name, value, 'must be whole characters, no half of a surrogate pair');
}

/** {@link AllocateOptions} with every default filled in. */
export interface FilledAllocateOptions {
  readonly zeroed: boolean;
  readonly label: string | undefined;
}

const ALLOCATE_DEFAULTS: FilledAllocateOptions = p.freeze({ zeroed: false, label: undefined });

/** Also of a revoked Proxy, which throws when it is asked. */
function isArray(value: object): boolean {
  try {
    return p.isArray(value);
  } catch {
    return true;
  }
}

/** Undefined gives the defaults and looks at no prototype; of an object each property is read once. */
export function validateAllocateOptions(options: unknown, name: string = 'options'): FilledAllocateOptions {
  if (options === undefined) return ALLOCATE_DEFAULTS;
  if (typeof options !== 'object' || options === null || isArray(options)) throw invalidArgType(name, 'object', options);
  const { zeroed = false, label } = options as { zeroed?: unknown; label?: unknown };
  if (typeof zeroed !== 'boolean') throw invalidArgType(`${name}.zeroed`, 'boolean', zeroed);
  if (label === undefined) return { zeroed, label };
  validateLabel(label, `${name}.label`);
  return { zeroed, label };
}

/** A label, at most as long as a name. */
export function validateLabel(value: unknown, name: string = 'label'): asserts value is string {
  if (typeof value !== 'string') throw invalidArgType(name, 'string', value);
  if (value.length > TEXT_LENGTH_MAX) throw invalidArgValue(name, value, `must have at most ${TEXT_LENGTH_MAX} characters`);
}

/** {@link AllocatorOptions} with every default filled in. */
export function validateAllocatorOptions(options: unknown, name: string = 'options'): { readonly overflow: 'error' | 'overwrite-oldest' } {
  if (options === undefined) return { overflow: 'error' };
  if (typeof options !== 'object' || options === null || isArray(options)) throw invalidArgType(name, 'object', options);
  const { overflow = 'error' } = options as { overflow?: unknown };
  if (overflow === 'error' || overflow === 'overwrite-oldest') return { overflow };
  throw listError(overflow, `${name}.overflow`, { ERROR: 'error', OVERWRITE_OLDEST: 'overwrite-oldest' });
}

/** {@link PoolOptions} with every default filled in. */
export interface FilledPoolOptions {
  readonly zeroOnRelease: boolean;
  readonly zeroed: boolean;
  readonly limit: number | undefined;
  readonly label: string | undefined;
}

export function validatePoolOptions(options: unknown, name: string = 'options'): FilledPoolOptions {
  if (options === undefined) return { zeroOnRelease: true, zeroed: false, limit: undefined, label: undefined };
  if (typeof options !== 'object' || options === null || isArray(options)) throw invalidArgType(name, 'object', options);
  const { zeroOnRelease = true, zeroed = false, limit, label } = options as { zeroOnRelease?: unknown; zeroed?: unknown; limit?: unknown; label?: unknown };
  if (typeof zeroOnRelease !== 'boolean') throw invalidArgType(`${name}.zeroOnRelease`, 'boolean', zeroOnRelease);
  if (typeof zeroed !== 'boolean') throw invalidArgType(`${name}.zeroed`, 'boolean', zeroed);
  if (limit !== undefined) validateSize(limit, `${name}.limit`);
  if (label !== undefined) validateLabel(label, `${name}.label`);
  return { zeroOnRelease, zeroed, limit, label };
}

/** The longest time that a timer can have. */
const TIMEOUT_MAX_MS = 2147483647;

function isSignal(value: unknown): boolean {
  try {
    p.isAborted(value as AbortSignal);
    return true;
  } catch {
    return false;
  }
}

export function validateAcquireOptions(options: unknown, name: string = 'options'): { signal: AbortSignal | undefined; timeoutMs: number | undefined } {
  if (options === undefined) return { signal: undefined, timeoutMs: undefined };
  if (typeof options !== 'object' || options === null || isArray(options)) throw invalidArgType(name, 'object', options);
  const { signal, timeoutMs } = options as { signal?: unknown; timeoutMs?: unknown };
  if (signal !== undefined && !isSignal(signal)) throw invalidArgType(`${name}.signal`, 'AbortSignal', signal);
  validateTimeout(timeoutMs, `${name}.timeoutMs`);
  return { signal: signal as AbortSignal | undefined, timeoutMs };
}

/** Of operations off the main thread, checked. */
export interface TaskOptions {
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

export function validateTaskOptions(options: unknown, name: string = 'options'): TaskOptions {
  if (options === undefined) return { signal: undefined, onProgress: undefined };
  if (typeof options !== 'object' || options === null || isArray(options)) throw invalidArgType(name, 'object', options);
  const { signal, onProgress } = options as { signal?: unknown; onProgress?: unknown };
  if (signal !== undefined && !isSignal(signal)) throw invalidArgType(`${name}.signal`, 'AbortSignal', signal);
  if (onProgress !== undefined && typeof onProgress !== 'function') throw invalidArgType(`${name}.onProgress`, 'function', onProgress);
  return { signal, onProgress } as TaskOptions;
}

/** How long somebody waits at most; undefined is for ever. */
export function validateTimeout(value: unknown, name: string = 'timeoutMs'): asserts value is number | undefined {
  if (value !== undefined && (typeof value !== 'number' || !isInteger(value) || value < 0 || value > TIMEOUT_MAX_MS)) {
    throw integerError(value, name, 0, TIMEOUT_MAX_MS);
  }
}

/** What an atomic operation works on. */
export function validateAtomicType(value: unknown, name: string = 'type'): AtomicType {
  if (typeof value !== 'string') throw invalidArgType(name, 'string', value);
  if (value !== 'i32' && value !== 'i64') throw invalidArgValue(name, value, "must be one of: 'i32', 'i64'");
  return value;
}

// === Environment ===

export const TABLE_BYTES_DEFAULT: number = 16 * 2 ** 20;
export const TABLE_BYTES_MIN: number = 64 * 2 ** 10;
export const TABLE_BYTES_MAX: number = 2 ** 30;

/** What the environment asks for; options and calls such as `setLimit` beat it. */
export interface Environment {
  /** OFFHEAP_LIMIT, bytes; null: none. */
  readonly limit: number | null;
  /** OFFHEAP_TRACK. */
  readonly track: 'off' | 'count' | 'sampled' | 'full';
  /** OFFHEAP_TABLE, bytes of address space. */
  readonly tableBytes: number;
  /** OFFHEAP_FRONTEND. */
  readonly frontend: boolean;
  /** OFFHEAP_HARDENED. */
  readonly hardened: 'off' | 'on' | 'paranoid';
  /** The first nonsense value (its variable has the default here): throw this at the first use, never at load. */
  readonly error: Coded<TypeError> | undefined;
}

/** `'1024'`, `'64k'`, `'64m'`, `'8g'`, `'1t'`, also `KB`, `KiB`, …; always powers of 1024. Undefined when it is none of these or above 2^53 − 1. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+) ?(?:([kmgt])(?:i?b)?|b)?$/i.exec(p.trim(text));
  if (match === null) return undefined;
  const bytes = +(match[1] ?? '') * 1024 ** (' kmgt'.indexOf(p.toLowerCase(match[2] ?? ' ')));
  return bytes <= MAX_SAFE_INTEGER ? bytes : undefined;
}

/** Reads the OFFHEAP_* variables; an empty one counts as not set. Never throws. (`NODE_DEBUG=offheap` is `util.debuglog`'s.) */
export function readEnvironment(env: { readonly [name: string]: string | undefined }): Environment {
  let error: Coded<TypeError> | undefined;
  function read<T>(name: string, fallback: T, parse: (text: string) => T | undefined, reason: string): T {
    const text: unknown = p.hasOwn(env, name) ? env[name] : ''; // not through Object.prototype
    if (text === undefined || text === '') return fallback;
    const value = typeof text === 'string' ? parse(p.toLowerCase(p.trim(text))) : undefined;
    if (value === undefined) error ??= invalidArgValue(`process.env.${name}`, text, reason);
    return value ?? fallback;
  }
  function choose<T extends string>(name: string, fallback: T, list: readonly T[]): T {
    return read(name, fallback, (text) => list.find((item) => item === text), `must be one of: ${list.join(', ')}`);
  }
  function tableBytes(text: string): number | undefined {
    const bytes = parseBytes(text);
    return bytes !== undefined && bytes >= TABLE_BYTES_MIN && bytes <= TABLE_BYTES_MAX ? bytes : undefined;
  }
  return p.freeze({
    limit: read<number | null>('OFFHEAP_LIMIT', null, parseBytes, 'must be a count of bytes such as 1024, 64m or 8g'),
    track: choose('OFFHEAP_TRACK', 'count', ['off', 'count', 'sampled', 'full']),
    tableBytes: read('OFFHEAP_TABLE', TABLE_BYTES_DEFAULT, tableBytes, 'must be a count of bytes, 64k to 1g'),
    frontend: choose('OFFHEAP_FRONTEND', 'on', ['on', 'off']) === 'on',
    hardened: choose('OFFHEAP_HARDENED', 'off', ['off', 'on', 'paranoid']),
    error,
  });
}
