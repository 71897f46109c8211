/**
 * Handle: what every kind of native memory holds (slot, generation, size, and one field more), and the checked accessors. Four fields
 * on purpose: a fresh object of four costs 13 ns, of six 22. Each access checks liveness and bounds; it makes no ArrayBuffer.
 * Room: handles (5). May use: primordials, types, format, errors, options, native, table, hidden, holder.
 */
import * as errors from '../errors.js';
import { accessError } from '../options.js';
import * as p from '../primordials.js';
import type { SafeDataView } from '../primordials.js';
import { NEAR_MAX, farOffset, farView, hiddenView } from './hidden.js';
import { Holder, isDetached } from './holder.js';
import { idOf, isLive, offsetOf, spanOf } from './table.js';

/** While live: undefined, or the holder of the views. Afterwards: when it was freed, `Date.now()` milliseconds. */
export type Extra = Holder | number | undefined;

/** The fields of a handle, for this folder. All but `isHandle` assume that it said yes. */
export interface Fields {
  isHandle(value: unknown): value is Handle;
  slotOf(handle: Handle): number;
  generationOf(handle: Handle): number;
  sizeOf(handle: Handle): number;
  extraOf(handle: Handle): Extra;
  setExtra(handle: Handle, extra: Extra): void;
}

let exposed: Fields;
/** Only this folder has it, so nobody else can make a handle. */
export const KEY: unique symbol = Symbol('offheap.handle');

/** One owner's hold on one piece of native memory. */
export abstract class Handle {
  readonly #slot: number;
  readonly #generation: number;
  readonly #size: number;
  #extra: Extra;

  static {
    exposed = {
      isHandle: (value): value is Handle => typeof value === 'object' && value !== null && #slot in value,
      slotOf: (handle) => handle.#slot,
      generationOf: (handle) => handle.#generation,
      sizeOf: (handle) => handle.#size,
      extraOf: (handle) => handle.#extra,
      setExtra: (handle, extra) => {
        handle.#extra = extra;
      },
    };
  }

  /** Not for users: memory is allocated. */
  protected constructor(key: symbol, slot: number, generation: number, size: number) {
    if (key !== KEY) throw errors.invalidArgType('new.target', 'a call of DirectMemoryManager.allocateMemory()', key);
    this.#slot = slot;
    this.#generation = generation;
    this.#size = size;
    this.#extra = undefined;
  }

  /** Where `width` bytes at `offset` are in the view that {@link Handle.#view} gives; throws unless they are live and inside. */
  static #locate(handle: Handle, offset: number, width: number): number {
    if (!exposed.isHandle(handle)) throw errors.invalidArgType('this', 'MemoryBlock', handle);
    if (!isLive(handle.#slot, handle.#generation)) throw deadError(handle);
    if (typeof offset !== 'number' || !p.isInteger(offset) || offset < 0 || offset > handle.#size - width) {
      throw accessError(offset, width, handle.#size);
    }
    return typeof handle.#extra === 'object' ? offset : offsetOf(handle.#slot) + offset;
  }

  /** The view to read a located place through, or to write it. */
  static #view(handle: Handle, at: number): SafeDataView {
    const extra = handle.#extra;
    if (typeof extra === 'object' && extra.buffer !== undefined) return ownView(handle, extra, extra.buffer);
    return at <= NEAR_MAX ? hiddenView(spanOf(handle.#slot)) : farView(spanOf(handle.#slot), at);
  }

  // === Accessors: little-endian unless told otherwise ===

  getInt8(offset: number): number {
    const at = Handle.#locate(this, offset, 1);
    return Handle.#view(this, at).getInt8(at <= NEAR_MAX ? at : farOffset(at));
  }

  getUint8(offset: number): number {
    const at = Handle.#locate(this, offset, 1);
    return Handle.#view(this, at).getUint8(at <= NEAR_MAX ? at : farOffset(at));
  }

  getInt16(offset: number, littleEndian: boolean = true): number {
    const at = Handle.#locate(this, offset, 2);
    return Handle.#view(this, at).getInt16(at <= NEAR_MAX ? at : farOffset(at), littleEndian);
  }

  getUint16(offset: number, littleEndian: boolean = true): number {
    const at = Handle.#locate(this, offset, 2);
    return Handle.#view(this, at).getUint16(at <= NEAR_MAX ? at : farOffset(at), littleEndian);
  }

  getInt32(offset: number, littleEndian: boolean = true): number {
    const at = Handle.#locate(this, offset, 4);
    return Handle.#view(this, at).getInt32(at <= NEAR_MAX ? at : farOffset(at), littleEndian);
  }

  getUint32(offset: number, littleEndian: boolean = true): number {
    const at = Handle.#locate(this, offset, 4);
    return Handle.#view(this, at).getUint32(at <= NEAR_MAX ? at : farOffset(at), littleEndian);
  }

  getFloat32(offset: number, littleEndian: boolean = true): number {
    const at = Handle.#locate(this, offset, 4);
    return Handle.#view(this, at).getFloat32(at <= NEAR_MAX ? at : farOffset(at), littleEndian);
  }

  getFloat64(offset: number, littleEndian: boolean = true): number {
    const at = Handle.#locate(this, offset, 8);
    return Handle.#view(this, at).getFloat64(at <= NEAR_MAX ? at : farOffset(at), littleEndian);
  }

  getBigInt64(offset: number, littleEndian: boolean = true): bigint {
    const at = Handle.#locate(this, offset, 8);
    return Handle.#view(this, at).getBigInt64(at <= NEAR_MAX ? at : farOffset(at), littleEndian);
  }

  getBigUint64(offset: number, littleEndian: boolean = true): bigint {
    const at = Handle.#locate(this, offset, 8);
    return Handle.#view(this, at).getBigUint64(at <= NEAR_MAX ? at : farOffset(at), littleEndian);
  }

  setInt8(offset: number, value: number): void {
    const at = Handle.#locate(this, offset, 1);
    if (typeof value !== 'number') throw errors.invalidArgType('value', 'number', value);
    Handle.#view(this, at).setInt8(at <= NEAR_MAX ? at : farOffset(at), value);
  }

  setUint8(offset: number, value: number): void {
    const at = Handle.#locate(this, offset, 1);
    if (typeof value !== 'number') throw errors.invalidArgType('value', 'number', value);
    Handle.#view(this, at).setUint8(at <= NEAR_MAX ? at : farOffset(at), value);
  }

  setInt16(offset: number, value: number, littleEndian: boolean = true): void {
    const at = Handle.#locate(this, offset, 2);
    if (typeof value !== 'number') throw errors.invalidArgType('value', 'number', value);
    Handle.#view(this, at).setInt16(at <= NEAR_MAX ? at : farOffset(at), value, littleEndian);
  }

  setUint16(offset: number, value: number, littleEndian: boolean = true): void {
    const at = Handle.#locate(this, offset, 2);
    if (typeof value !== 'number') throw errors.invalidArgType('value', 'number', value);
    Handle.#view(this, at).setUint16(at <= NEAR_MAX ? at : farOffset(at), value, littleEndian);
  }

  setInt32(offset: number, value: number, littleEndian: boolean = true): void {
    const at = Handle.#locate(this, offset, 4);
    if (typeof value !== 'number') throw errors.invalidArgType('value', 'number', value);
    Handle.#view(this, at).setInt32(at <= NEAR_MAX ? at : farOffset(at), value, littleEndian);
  }

  setUint32(offset: number, value: number, littleEndian: boolean = true): void {
    const at = Handle.#locate(this, offset, 4);
    if (typeof value !== 'number') throw errors.invalidArgType('value', 'number', value);
    Handle.#view(this, at).setUint32(at <= NEAR_MAX ? at : farOffset(at), value, littleEndian);
  }

  setFloat32(offset: number, value: number, littleEndian: boolean = true): void {
    const at = Handle.#locate(this, offset, 4);
    if (typeof value !== 'number') throw errors.invalidArgType('value', 'number', value);
    Handle.#view(this, at).setFloat32(at <= NEAR_MAX ? at : farOffset(at), value, littleEndian);
  }

  setFloat64(offset: number, value: number, littleEndian: boolean = true): void {
    const at = Handle.#locate(this, offset, 8);
    if (typeof value !== 'number') throw errors.invalidArgType('value', 'number', value);
    Handle.#view(this, at).setFloat64(at <= NEAR_MAX ? at : farOffset(at), value, littleEndian);
  }

  setBigInt64(offset: number, value: bigint, littleEndian: boolean = true): void {
    const at = Handle.#locate(this, offset, 8);
    if (typeof value !== 'bigint') throw errors.invalidArgType('value', 'bigint', value);
    Handle.#view(this, at).setBigInt64(at <= NEAR_MAX ? at : farOffset(at), value, littleEndian);
  }

  setBigUint64(offset: number, value: bigint, littleEndian: boolean = true): void {
    const at = Handle.#locate(this, offset, 8);
    if (typeof value !== 'bigint') throw errors.invalidArgType('value', 'bigint', value);
    Handle.#view(this, at).setBigUint64(at <= NEAR_MAX ? at : farOffset(at), value, littleEndian);
  }
}

export const fields: Fields = exposed;

/** The view over a viewed block's own buffer; throws when the buffer was transferred away. */
function ownView(handle: Handle, holder: Holder, buffer: ArrayBuffer): SafeDataView {
  if (isDetached(buffer)) throw errors.escaped('MemoryBlock', handleId(handle));
  holder.accessor ??= p.dataViewOver(buffer);
  return holder.accessor;
}

/** The public id. */
export function handleId(handle: Handle): number {
  return idOf(exposed.slotOf(handle), exposed.generationOf(handle));
}

/** The error of any use of a dead handle. */
export function deadError(handle: Handle): Error {
  return errors.useAfterFree('MemoryBlock', handleId(handle));
}
