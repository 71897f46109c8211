/**
 * Errors: every refusal, with a stable `code`, Node's wording and the numbers a user needs. The factories make errors; callers throw.
 * Room: errors (2). May use: primordials, types, format.
 */
import { bytesText, groupedText, typeText, valueText } from './format.js';
import * as p from './primordials.js';

const codes = [
  'ERR_OFFHEAP_OUT_OF_MEMORY',
  'ERR_OFFHEAP_LIMIT',
  'ERR_OFFHEAP_USE_AFTER_FREE',
  'ERR_OFFHEAP_DOUBLE_FREE',
  'ERR_OFFHEAP_FOREIGN_BLOCK',
  'ERR_OFFHEAP_IN_USE',
  'ERR_OFFHEAP_WRONG_THREAD',
  'ERR_OFFHEAP_REGION_FULL',
  'ERR_OFFHEAP_CONFIG_MISMATCH',
  'ERR_OFFHEAP_NOT_SUPPORTED',
  'ERR_OFFHEAP_ESCAPED',
  'ERR_OFFHEAP_CLOSED',
  'ERR_OFFHEAP_TIMEOUT',
  'ERR_OFFHEAP_PROTECTED',
  'ERR_OFFHEAP_CORRUPTED',
  'ERR_OUT_OF_RANGE',
  'ERR_INVALID_ARG_VALUE',
  'ERR_INVALID_ARG_TYPE',
] as const;
/** All codes in the order of the Rust list: the native status n is `ERROR_CODES[n - 1]`. */
export const ERROR_CODES: typeof codes = p.freeze(codes);
export type ErrorCode = (typeof codes)[number];
export type OffHeapErrorCode = Extract<ErrorCode, `ERR_OFFHEAP_${string}`>;
export type Coded<E extends Error> = E & { readonly code: ErrorCode };

/** The numbers an OffHeapError may carry; absent where none helps. */
export interface ErrorNumbers {
  /** What was asked, bytes. */
  readonly requested?: number | undefined;
  /** What was possible, bytes. */
  readonly available?: number | undefined;
  /** Bytes, or blocks for a pool's own limit. */
  readonly limit?: number | undefined;
  /** Bytes that other isolates hold ready. */
  readonly cachedElsewhere?: number | undefined;
  /** The handle's id. */
  readonly id?: number | undefined;
  /** Pins and leases still held. */
  readonly pins?: number | undefined;
  readonly timeoutMs?: number | undefined;
}

/** The class below; it must not name itself, or a bundler gives it another name, and that would show. */
// oxlint-disable-next-line prefer-const -- no initial value: the build makes each `var x = …` a const
let errorClass: object | undefined;
const BRAND: unique symbol = Symbol.for('offheap.error');

/** All that is not an argument error. Match on `code`; `instanceof` also knows the errors of another copy of the package. */
export class OffHeapError extends Error {
  readonly code: OffHeapErrorCode;
  declare readonly requested?: number;
  declare readonly available?: number;
  declare readonly limit?: number;
  declare readonly cachedElsewhere?: number;
  declare readonly id?: number;
  declare readonly pins?: number;
  declare readonly timeoutMs?: number;

  constructor(code: OffHeapErrorCode, message: string, numbers: ErrorNumbers = {}) {
    super(message);
    this.code = code;
    const names = p.keys(numbers);
    for (let index = 0; index < names.length; index += 1) {
      const name = names[index] as keyof ErrorNumbers;
      const value = numbers[name];
      if (value !== undefined) p.define(this, name, value, true);
    }
  }

  static override [Symbol.hasInstance](this: object, value: unknown): boolean {
    if (this !== errorClass) return p.isInstance(this, value); // asked about a subclass
    return typeof value === 'object' && value !== null && (value as { [BRAND]?: unknown })[BRAND] === true;
  }
}
errorClass = OffHeapError;
p.define(OffHeapError.prototype, 'name', 'OffHeapError');
p.defineProperty(OffHeapError.prototype, BRAND, { value: true });

const GlobalTypeError = TypeError;
const GlobalRangeError = RangeError;

/** Shows `Name [CODE]: message` in the stack, as Node's own errors do, and lets the stack begin below `factory`. */
function finish<E extends Error>(error: E, name: string, code: ErrorCode, factory: object): Coded<E> {
  p.define(error, 'code', code, true);
  p.define(error, 'name', `${name} [${code}]`);
  try {
    p.captureStackTrace?.(error, factory);
    void error.stack; // V8 writes the first line when the stack is first read
  } catch {
    // Error.prepareStackTrace is the user's code
  }
  delete (error as { name?: string }).name;
  return error as Coded<E>;
}

// === Argument errors, in Node's words ===

/** "of type number", "an instance of MemoryBlock", "one of type number or string, or an instance of Buffer". */
function expectedText(expected: readonly string[]): string {
  let types = '';
  let instances = '';
  let count = 0;
  for (let index = 0; index < expected.length; index += 1) {
    const item = expected[index] as string;
    const isType = p.toLowerCase(item) === item;
    if (isType) types += (count++ === 0 ? '' : ' or ') + item;
    else instances += (instances === '' ? 'an instance of ' : ' or ') + item;
  }
  if (count === 0) return instances;
  const text = `${count === 1 ? 'of type' : 'one of type'} ${types}`;
  return instances === '' ? text : `${text} or ${instances}`;
}

/** `expected`: lower-case type names and class names. `name` with a dot is a property: `'options.zeroed'`. */
export function invalidArgType(name: string, expected: string | readonly string[], actual: unknown): Coded<TypeError> {
  const wanted = typeof expected === 'string' ? [expected] : expected;
  let received = typeText(actual);
  const items = wanted;
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index] as string;
    // A forged handle, or one of another copy of the package: say so, or the message would contradict itself.
    if (received === `an instance of ${item}`) received = `an object that only looks like a ${item}`;
  }
  const message = `The "${name}" ${p.includes(name, '.') ? 'property' : 'argument'} must be ${expectedText(wanted)}. Received ${received}`;
  return finish(new GlobalTypeError(message), 'TypeError', 'ERR_INVALID_ARG_TYPE', invalidArgType);
}

/** `reason`: "must be a power of two". */
export function invalidArgValue(name: string, value: unknown, reason: string): Coded<TypeError> {
  const message = `The ${p.includes(name, '.') ? 'property' : 'argument'} '${name}' ${reason}. Received ${valueText(value)}`;
  return finish(new GlobalTypeError(message), 'TypeError', 'ERR_INVALID_ARG_VALUE', invalidArgValue);
}

/** `range`: ">= 1 && <= 100". */
export function outOfRange(name: string, range: string, actual: unknown): Coded<RangeError> {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${valueText(actual)}`;
  return finish(new GlobalRangeError(message), 'RangeError', 'ERR_OUT_OF_RANGE', outOfRange);
}

// === One function per code of our own. `kind` and `id` name the handle: ('MemoryBlock', 7), ('AdvancedMemoryAllocator', 'orders') ===

function subject(kind: string, id: number | string): string {
  return typeof id === 'number' ? `${kind} ${id}` : `${kind} ${valueText(id)}`;
}

function make(code: OffHeapErrorCode, factory: object, message: string, numbers?: ErrorNumbers): OffHeapError {
  return finish(new OffHeapError(code, message, numbers), 'OffHeapError', code, factory);
}

function idOf(id: number | string): number | undefined {
  return typeof id === 'number' ? id : undefined;
}

/** `available` 0 or undefined: not known. */
export function outOfMemory(requested: number, available: number = 0): OffHeapError {
  const rest = available > 0 ? `, ${bytesText(available)} may be had` : '';
  const message = `Cannot allocate ${bytesText(requested)}: the operating system refuses${rest}. Free blocks, call DirectMemoryManager.trim(), or ask for less.`;
  return make('ERR_OFFHEAP_OUT_OF_MEMORY', outOfMemory, message, { requested, available: available > 0 ? available : undefined });
}

/** The process-wide limit, in bytes. */
export function limitReached(requested: number, available: number, limit?: number): OffHeapError {
  const under = limit === undefined ? 'the limit' : `the limit of ${bytesText(limit)}`;
  const message = `Cannot allocate ${bytesText(requested)}: ${bytesText(available)} left under ${under}. Free memory, or raise it with DirectMemoryManager.setLimit() or OFFHEAP_LIMIT.`;
  return make('ERR_OFFHEAP_LIMIT', limitReached, message, { requested, available, limit });
}

/** A pool's own limit, in blocks. */
export function poolLimitReached(limit: number): OffHeapError {
  const message = `Cannot acquire a block: all ${groupedText(limit)} blocks of the pool's limit are in use. Release one, wait with acquireAsync(), or raise options.limit.`;
  return make('ERR_OFFHEAP_LIMIT', poolLimitReached, message, { requested: 1, available: 0, limit });
}

/** `cause`: "it was freed", "it was reallocated, and the new handle owns the memory", "its allocator was reset". */
export function useAfterFree(kind: string, id: number, cause: string = 'it was freed'): OffHeapError {
  const message = `${subject(kind, id)} cannot be used any more: ${cause}. Keep a handle only as long as its memory; isValid() tells.`;
  return make('ERR_OFFHEAP_USE_AFTER_FREE', useAfterFree, message, { id });
}

/** `cause`: as for {@link useAfterFree}. */
export function doubleFree(kind: string, id: number, cause: string = 'it was freed before'): OffHeapError {
  const message = `${subject(kind, id)} cannot be freed: ${cause}. Free each handle once; only [Symbol.dispose]() may come again.`;
  return make('ERR_OFFHEAP_DOUBLE_FREE', doubleFree, message, { id });
}

/** `owner` and `asked`: "MemoryPool 'frames'", "DirectMemoryManager". */
export function foreignBlock(kind: string, id: number, owner: string, asked: string): OffHeapError {
  const message = `${subject(kind, id)} belongs to ${owner}, not to ${asked}. Call its own free(), or hand it to its owner.`;
  return make('ERR_OFFHEAP_FOREIGN_BLOCK', foreignBlock, message, { id });
}

/** `action`: "freed", "reallocated", "reset", "closed". `pins` 0 or undefined: not known. */
export function inUse(kind: string, id: number | string, action: string, pins: number = 0): OffHeapError {
  const holders = pins === 0 ? 'pins or leases hold' : pins === 1 ? 'a pin or lease holds' : `${groupedText(pins)} pins or leases hold`;
  const message = `${subject(kind, id)} cannot be ${action}: ${holders} it. Dispose of the pins and await the leases and tasks first.`;
  return make('ERR_OFFHEAP_IN_USE', inUse, message, { id: idOf(id), pins: pins > 0 ? pins : undefined });
}

export function wrongThread(kind: string, id: number): OffHeapError {
  const message = `${subject(kind, id)} belongs to another thread. Send it block.share() and use MemoryBlock.attach(token).`;
  return make('ERR_OFFHEAP_WRONG_THREAD', wrongThread, message, { id });
}

/** `available`: the largest free piece; `cachedElsewhere`: what other isolates hold ready. */
export function regionFull(name: string, requested: number, available: number, cachedElsewhere: number = 0): OffHeapError {
  const others = cachedElsewhere > 0 ? `, and other threads keep ${bytesText(cachedElsewhere)} ready` : '';
  const message = `Allocator ${valueText(name)} has no room for ${bytesText(requested)} now: the largest free piece is ${bytesText(available)}${others}. Free or reset() memory, make the allocator larger, or use tryAllocate().`;
  return make('ERR_OFFHEAP_REGION_FULL', regionFull, message, { requested, available, cachedElsewhere });
}

/** `what`: "totalSize"; `existing` and `asked`: its two values. */
export function configMismatch(name: string, what: string, existing: unknown, asked: unknown): OffHeapError {
  const message = `Allocator ${valueText(name)} exists with ${what} ${valueText(existing)}, not ${valueText(asked)}. Ask for the same, take another name, or close() it first.`;
  return make('ERR_OFFHEAP_CONFIG_MISMATCH', configMismatch, message);
}

/** `what`: "mark()"; `reason`: "a slab allocator has no order of allocation; use an arena". */
export function notSupported(what: string, reason: string): OffHeapError {
  return make('ERR_OFFHEAP_NOT_SUPPORTED', notSupported, `${what} is not supported: ${reason}.`);
}

export function escaped(kind: string, id: number): OffHeapError {
  const message = `${subject(kind, id)} cannot be used: its ArrayBuffer was transferred away, and with it the memory. Transfer copyOut() or use share() instead; free() of the handle still succeeds.`;
  return make('ERR_OFFHEAP_ESCAPED', escaped, message, { id });
}

/** `id`: a name, or the number of the memory handle whose allocator is closed. */
export function closed(kind: string, id: number | string): OffHeapError {
  const message =
    typeof id === 'number' ? `${subject(kind, id)} cannot be used: its allocator is closed.` : `${subject(kind, id)} is closed. Make a new one.`;
  return make('ERR_OFFHEAP_CLOSED', closed, message, { id: idOf(id) });
}

/** `what`: "MemoryPool.acquireAsync()". */
export function timedOut(what: string, timeoutMs: number): OffHeapError {
  const message = `${what} was not served within ${groupedText(timeoutMs)} ms. Wait longer, or see who holds the memory with getAllocatedBlocks().`;
  return make('ERR_OFFHEAP_TIMEOUT', timedOut, message, { timeoutMs });
}

/** `mode`: what protect() was told; `action`: "read" or "written". */
export function protectedMemory(kind: string, id: number, mode: string, action: string): OffHeapError {
  const message = `${subject(kind, id)} cannot be ${action}: it is under protect('${mode}'). Call protect('write') first.`;
  return make('ERR_OFFHEAP_PROTECTED', protectedMemory, message, { id });
}

/** `detail`: "the guard after its last byte was overwritten". */
export function corrupted(kind: string, id: number | string, detail: string): OffHeapError {
  const message = `${subject(kind, id)} is corrupted: ${detail}. Something wrote outside its memory; do not trust this process any further.`;
  return make('ERR_OFFHEAP_CORRUPTED', corrupted, message, { id: idOf(id) });
}
