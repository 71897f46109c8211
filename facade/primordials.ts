/**
 * Primordials: what safety needs from the realm, captured once, so that a later change of a prototype or a global changes nothing here.
 * Room: primordials (0). May use: node:buffer, node:util.
 *
 * A view over memory that users must not see is made by {@link dataViewOver} or {@link bytesOver}: their frozen prototypes hold the
 * captured methods, so a patched `DataView.prototype.getInt32` never runs and never gets hold of the view or of its buffer.
 */
import { Buffer } from 'node:buffer';
import { TextEncoder, types } from 'node:util';

type Uncurried<This, Args extends unknown[], Result> = (self: This, ...args: Args) => Result;
type UncurryThis = <This, Args extends unknown[], Result>(method: (this: This, ...args: Args) => Result) => Uncurried<This, Args, Result>;
type Apply = (method: (...args: never[]) => unknown, self: unknown, args: readonly unknown[]) => unknown;
type ViewClass<View> = new (buffer: ArrayBufferLike, byteOffset: number, length: number | undefined) => View;

const { bind, call } = Function.prototype;

/** Turns a method into a function whose first argument is `this`. */
export const uncurryThis: UncurryThis = bind.bind(call) as unknown as UncurryThis;

export const defineProperty: typeof Object.defineProperty = Object.defineProperty;
export const freeze: typeof Object.freeze = Object.freeze;
export const getOwnPropertyDescriptor: typeof Object.getOwnPropertyDescriptor = Object.getOwnPropertyDescriptor;
export const getPrototypeOf: (value: object) => object | null = Object.getPrototypeOf;
export const hasOwn: typeof Object.hasOwn = Object.hasOwn;
export const keys: (value: object) => string[] = Object.keys;
export const setPrototypeOf: typeof Object.setPrototypeOf = Object.setPrototypeOf;
export const reflectApply: Apply = Reflect.apply as Apply;
/** An own data property, also where Object.prototype has been given a `get` or a `value`. */
export function define(target: object, name: PropertyKey, value: unknown, enumerable: boolean = false): void {
  defineProperty(target, name, { __proto__: null, value, enumerable, writable: true, configurable: true } as PropertyDescriptor);
}
/** An index from numbers to values. It has no prototype: what a user does to Array.prototype is never asked for an index. */
export interface Index<Value> {
  [index: number]: Value | undefined;
}
export const makeIndex: <Value>() => Index<Value> = () => ({ __proto__: null }) as never;
const arrayFrom = Array.from.bind(Array) as (source: object) => undefined[];
/**
 * A list of fixed length, all `undefined`. V8 reads it in 1 ns where an index takes 5. Every place exists from the start, so
 * Array.prototype is not asked either, as long as nobody goes past the end.
 *
 * What it is filled with is what the source does not have: a function that gives it would be called so often while the package loads that V8
 * compiles it, and the compiler costs several MiB of resident memory.
 */
export function list<Value>(length: number): (Value | undefined)[] {
  return arrayFrom({ __proto__: null, length });
}
export const dispose: typeof Symbol.dispose = Symbol.dispose;
/** A module of Node's that is loaded only when it is needed. */
export const builtinModule: typeof process.getBuiltinModule = process.getBuiltinModule.bind(process);
export const toBigInt: (value: number) => bigint = BigInt;
export const isArray: (value: unknown) => boolean = Array.isArray;

export const isInteger: (value: unknown) => boolean = Number.isInteger;
export const clz32: typeof Math.clz32 = Math.clz32;
export const floor: typeof Math.floor = Math.floor;
export const imul: typeof Math.imul = Math.imul;
export const max: typeof Math.max = Math.max;
export const min: typeof Math.min = Math.min;
export const round: typeof Math.round = Math.round;
export const trunc: typeof Math.trunc = Math.trunc;
/** A word that another thread writes: what is read after it is no older, also on a machine that reorders loads. */
export const loadOrdered: (words: Int32Array, index: number) => number = Atomics.load;
/** V8's; undefined elsewhere. */
export const captureStackTrace: ((target: object, above?: object) => void) | undefined = Error.captureStackTrace as never;
/** 2^53 − 1: the largest size, offset or count. */
export const MAX_SAFE_INTEGER = 9007199254740991;

export const stringSlice: (self: string, start: number, end?: number) => string = uncurryThis(String.prototype.slice);
export const charCodeAt: (self: string, index: number) => number = uncurryThis(String.prototype.charCodeAt);
export const toLowerCase: (self: string) => string = uncurryThis(String.prototype.toLowerCase);
export const includes: (self: string, part: string) => boolean = uncurryThis(String.prototype.includes);
export const endsWith: (self: string, part: string) => boolean = uncurryThis(String.prototype.endsWith);
export const isWellFormed: (self: string) => boolean = uncurryThis(
  (String.prototype as unknown as { isWellFormed(this: string): boolean }).isWellFormed, // Node 20 has it, the compiler's library not yet
);
export const trim: (self: string) => string = uncurryThis(String.prototype.trim);
export const bigintToString: (self: bigint, radix?: number) => string = uncurryThis(BigInt.prototype.toString);
export const symbolToString: (self: symbol) => string = uncurryThis(Symbol.prototype.toString);
export const isInstance: (constructor: object, value: unknown) => boolean = uncurryThis(Function.prototype[Symbol.hasInstance]) as (
  constructor: object,
  value: unknown,
) => boolean;

function getterOf<Self, Result>(prototype: object, key: PropertyKey): (self: Self) => Result {
  const get: ((this: Self) => Result) | undefined = getOwnPropertyDescriptor(prototype, key)?.get;
  if (get === undefined) throw new TypeError(`This JavaScript engine has no getter '${String(key)}' where ECMAScript puts one`);
  return uncurryThis(get);
}

const typedArrayPrototype = getPrototypeOf(Uint8Array.prototype) as object;

/** Bytes; 0 when detached. Throws TypeError for anything that is no ArrayBuffer. */
export const arrayBufferByteLength: (buffer: ArrayBuffer) => number = getterOf(ArrayBuffer.prototype, 'byteLength');
export const sharedArrayBufferByteLength: (buffer: SharedArrayBuffer) => number = getterOf(SharedArrayBuffer.prototype, 'byteLength');
/** These four take any TypedArray and nothing else; lengths and offset are 0 when it is detached. */
export const typedArrayBuffer: (view: ArrayBufferView) => ArrayBufferLike = getterOf(typedArrayPrototype, 'buffer');
export const typedArrayByteOffset: (view: ArrayBufferView) => number = getterOf(typedArrayPrototype, 'byteOffset');
export const typedArrayByteLength: (view: ArrayBufferView) => number = getterOf(typedArrayPrototype, 'byteLength');
export const typedArrayLength: (view: ArrayBufferView) => number = getterOf(typedArrayPrototype, 'length');
/** These three take a DataView only; lengths and offset throw TypeError when it is detached. */
export const dataViewBuffer: (view: DataView) => ArrayBufferLike = getterOf(DataView.prototype, 'buffer');
export const dataViewByteOffset: (view: DataView) => number = getterOf(DataView.prototype, 'byteOffset');
export const dataViewByteLength: (view: DataView) => number = getterOf(DataView.prototype, 'byteLength');

/** Both throw TypeError for anything that is no AbortSignal. */
export const isAborted: (signal: AbortSignal) => boolean = getterOf(AbortSignal.prototype, 'aborted');
export const abortReason: (signal: AbortSignal) => unknown = getterOf(AbortSignal.prototype, 'reason');
/** A promise whose class no script has replaced. */
export const promise: <Value>(executor: (resolve: (value: Value) => void, reject: (reason: unknown) => void) => void) => Promise<Value> = (
  (SafePromise) => (executor) =>
    new SafePromise(executor)
)(Promise);

export const isView: (value: unknown) => value is ArrayBufferView = ArrayBuffer.isView;
/** Brand checks by internal slot: subclasses and other realms count, forged objects and Proxies do not. */
export const isArrayBuffer: (value: unknown) => value is ArrayBuffer = types.isArrayBuffer;
export const isAnyArrayBuffer: (value: unknown) => value is ArrayBufferLike = types.isAnyArrayBuffer;
export const isDataView: (value: unknown) => value is DataView = types.isDataView;
export const isProxy: (value: unknown) => boolean = types.isProxy;

const typedArrayTag: (view: unknown) => string | undefined = getterOf(typedArrayPrototype, Symbol.toStringTag);

export function isTypedArray(value: unknown): boolean {
  return typedArrayTag(value) !== undefined;
}

/** These three take any ArrayBufferView; lengths and offset are 0 when it is detached or out of bounds. */
export function viewBuffer(view: ArrayBufferView): ArrayBufferLike {
  return isTypedArray(view) ? typedArrayBuffer(view) : dataViewBuffer(view as DataView);
}

export function viewByteOffset(view: ArrayBufferView): number {
  return isTypedArray(view) ? typedArrayByteOffset(view) : orZero(dataViewByteOffset, view as DataView);
}

export function viewByteLength(view: ArrayBufferView): number {
  return isTypedArray(view) ? typedArrayByteLength(view) : orZero(dataViewByteLength, view as DataView);
}

function orZero(getter: (view: DataView) => number, view: DataView): number {
  try {
    return getter(view);
  } catch {
    return 0;
  }
}

type Transfer = (buffer: ArrayBuffer, newLength?: number) => ArrayBuffer;

/** A polyfill may copy the bytes; only the engine's own `transfer` keeps the address. Built-in methods have no `prototype`. */
function nativeTransfer(): Transfer | undefined {
  const method: unknown = getOwnPropertyDescriptor(ArrayBuffer.prototype, 'transfer')?.value;
  if (typeof method !== 'function' || hasOwn(method, 'prototype')) return undefined;
  const source = reflectApply(Function.prototype.toString, method, []) as string;
  return source.includes('[native code]') ? uncurryThis(method as (this: ArrayBuffer, newLength?: number) => ArrayBuffer) : undefined;
}
/** `ArrayBuffer.prototype.transfer`, or undefined where the engine lacks it (Node 20). */
export const arrayBufferTransfer: Transfer | undefined = nativeTransfer();

// === Views ===

/**
 * Gives `target.prototype` those properties of `source` whose names are wanted, no others and no parent, for ever. Names are compared, and not tried by
 * a pattern: V8 compiles one when it is used again, which adds some 60 kB of resident memory to the import.
 */
function isolate(target: { readonly prototype: object }, source: object, isWanted: (name: string) => boolean): void {
  const { prototype } = target;
  for (const key of Object.getOwnPropertyNames(source)) {
    const descriptor = getOwnPropertyDescriptor(source, key);
    if (descriptor === undefined || !isWanted(key)) continue;
    if (hasOwn(descriptor, 'value')) descriptor.writable = false;
    defineProperty(prototype, key, descriptor);
  }
  setPrototypeOf(prototype, null);
  // Sealed with read-only values is frozen to every test, but not to V8: a *frozen* prototype makes each indexed store of its
  // typed arrays 50 times slower (0.6 → 40 ns), as V8 then expects read-only elements in the chain.
  Object.seal(prototype);
  freeze(target);
}

const PLACE_NAMES = ['buffer', 'byteLength', 'byteOffset'];
const BYTES_NAMES = ['set', 'fill', 'copyWithin', 'subarray', 'length', ...PLACE_NAMES];

/** A DataView's getters, setters and lengths; nothing else is reachable from it. */
export type SafeDataView = Pick<DataView, Exclude<keyof DataView, symbol>>;

const GlobalDataView = DataView as unknown as ViewClass<DataView>;
const GlobalBigInt64Array = BigInt64Array as unknown as ViewClass<BigInt64Array>;
const GlobalUint8Array = Uint8Array as unknown as ViewClass<Uint8Array>;
const GlobalInt32Array = Int32Array as unknown as ViewClass<Int32Array>;

class IsolatedDataView extends GlobalDataView {
  // eslint-disable-next-line no-useless-constructor -- a default one asks Array.prototype[Symbol.iterator] in V8 11 (Node 20)
  constructor(buffer: ArrayBufferLike, byteOffset: number, length: number | undefined) {
    super(buffer, byteOffset, length);
  }
}
Reflect.deleteProperty(IsolatedDataView.prototype, 'constructor');
isolate(IsolatedDataView, DataView.prototype, (name) => name.startsWith('get') || name.startsWith('set') || PLACE_NAMES.includes(name));

/** A DataView that later changes of `DataView.prototype` cannot reach. As fast as a plain one. */
export function dataViewOver(buffer: ArrayBufferLike, byteOffset: number = 0, byteLength?: number): SafeDataView {
  return new IsolatedDataView(buffer, byteOffset, byteLength);
}

/** Indexed bytes with the captured `set`, `fill`, `copyWithin`, `subarray` and lengths. Give `set` a TypedArray: an array could run user code. */
export interface SafeBytes extends Pick<Uint8Array, 'buffer' | 'byteLength' | 'byteOffset' | 'length'> {
  [index: number]: number;
  set(source: SafeBytes | Uint8Array, targetOffset?: number): void;
  fill(value: number, start?: number, end?: number): unknown;
  copyWithin(target: number, start: number, end?: number): unknown;
  subarray(start: number, end?: number): SafeBytes;
}

class IsolatedBytes extends GlobalUint8Array {
  // eslint-disable-next-line no-useless-constructor -- a default one asks Array.prototype[Symbol.iterator] in V8 11 (Node 20)
  constructor(buffer: ArrayBufferLike, byteOffset: number, length: number | undefined) {
    super(buffer, byteOffset, length);
  }
}
// `subarray` asks `constructor[Symbol.species]` for the class of its result: without an answer of ours it would have the open prototype.
const species = freeze({ __proto__: null, [Symbol.species]: IsolatedBytes });
defineProperty(IsolatedBytes.prototype, 'constructor', { writable: false, value: species });
isolate(IsolatedBytes, typedArrayPrototype, (name) => BYTES_NAMES.includes(name));

/** Bytes that later changes of `Uint8Array.prototype` cannot reach; for memory that users do not see. */
export function bytesOver(buffer: ArrayBufferLike, byteOffset: number = 0, length?: number): SafeBytes {
  return new IsolatedBytes(buffer, byteOffset, length) as SafeBytes;
}

/** `target.set(source, offset)`: no code of a script's runs, as `source` is a typed array. */
export const setBytes: (target: Uint8Array, source: Uint8Array, offset: number) => void = uncurryThis(
  (typedArrayPrototype as Uint8Array).set as (this: Uint8Array, source: Uint8Array, offset: number) => void,
);

/** Sets the numbers from `start` to before `end`. */
export const fillUint16: (numbers: Uint16Array, value: number, start: number, end: number) => unknown = uncurryThis(
  (typedArrayPrototype as Uint16Array).fill as (this: Uint16Array, value: number, start: number, end: number) => unknown,
);

/** Small numbers, all the same at first. */
export function filledUint16(length: number, value: number): Uint16Array {
  const numbers = new GlobalUint16Array(length);
  fillUint16(numbers, value, 0, length);
  return numbers;
}
const GlobalUint16Array = Uint16Array;

/** An ordinary Uint8Array, for users. */
export function uint8Over(buffer: ArrayBuffer, byteOffset: number, length: number): Uint8Array {
  return new GlobalUint8Array(buffer, byteOffset, length);
}

/** An ordinary BigInt64Array: index it, call none of its methods. */
export function bigInt64Over(buffer: ArrayBufferLike, byteOffset: number, length: number): BigInt64Array {
  return new GlobalBigInt64Array(buffer, byteOffset, length);
}

/** An ordinary Int32Array: index it, call none of its methods. */
export function int32Over(buffer: ArrayBufferLike, byteOffset: number, length: number): Int32Array {
  return new GlobalInt32Array(buffer, byteOffset, length);
}

const viewClasses: { readonly size: number; readonly is: unknown }[] = [{ size: 1, is: DataView }];
for (const name of Object.getOwnPropertyNames(globalThis)) {
  const is: unknown = name.endsWith('Array') ? getOwnPropertyDescriptor(globalThis, name)?.value : undefined;
  if (typeof is === 'function' && getPrototypeOf(is) === typedArrayPrototype.constructor) {
    viewClasses.push({ is, size: (is as Uint8ArrayConstructor).BYTES_PER_ELEMENT });
  }
}

/** Bytes per element of a built-in view constructor of this realm (DataView: 1), 0 for anything else. */
export function viewElementSize(constructor: unknown): number {
  for (let index = 0; index < viewClasses.length; index += 1) {
    const known = viewClasses[index];
    if (known !== undefined && known.is === constructor) return known.size;
  }
  return 0;
}

/** `Buffer.from(arrayBuffer, byteOffset, length)`: an ordinary Buffer, for users; no copy. */
export function bufferOver(buffer: ArrayBuffer, byteOffset: number, length: number): Buffer {
  try {
    return bufferFrom(buffer, byteOffset, length);
  } catch {
    // Node's own code asks the ArrayBuffer's prototype, which is the user's to break.
    return setPrototypeOf(uint8Over(buffer, byteOffset, length), bufferPrototype) as Buffer;
  }
}
const bufferFrom: (buffer: ArrayBuffer, byteOffset: number, length: number) => Buffer = Buffer.from.bind(Buffer);
const bufferPrototype = Buffer.prototype;

const encoder = new TextEncoder();
const encode: (self: TextEncoder, text: string) => Uint8Array = uncurryThis(TextEncoder.prototype.encode) as never;
/** A text as UTF-8 bytes; `Buffer.from` would ask its prototype for the writer. */
export const utf8 = (text: string): Uint8Array => encode(encoder, text);

export const sortWith: <Item>(self: Item[], compare: (a: Item, b: Item) => number) => Item[] = uncurryThis(Array.prototype.sort) as never;
