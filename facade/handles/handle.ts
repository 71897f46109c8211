/**
 * Handle: what one owner holds of one piece of native memory. MemoryBlock keeps its fields private; the rest of this folder reaches
 * them through {@link fields}, and nobody else does.
 * Room: handles (5). May use: types, errors, table, holder.
 */
import * as errors from '../errors.js';
import type { NativeMemory } from '../types.js';
import type { Holder } from './holder.js';
import { idOf } from './table.js';

/** A genuine handle, by its private fields. */
export type Handle = NativeMemory;

/** While live: undefined, or the holder of the views. Afterwards: when it was freed, on the native clock (see clock.ts). */
export type Extra = Holder | number | undefined;

/** The fields of a handle. All but `isHandle` assume that it said yes. */
export interface Fields {
  isHandle(value: unknown): value is Handle;
  slotOf(handle: Handle): number;
  generationOf(handle: Handle): number;
  sizeOf(handle: Handle): number;
  extraOf(handle: Handle): Extra;
  setExtra(handle: Handle, extra: Extra): void;
  /** Calls a native function that frees, and notes when it did. False when it refused. */
  end(handle: Handle, free: () => void): boolean;
  /** Calls a native function that ends the handle `old`, at a time, and gives its block to the new one. False when it refused. */
  takeOver(handle: Handle, take: () => void, old: Handle, time: number): boolean;
  /** A handle of nothing. */
  readonly sample: Handle;
}

export let fields: Fields;

/** Called once, by the class that has the fields. */
export function exposeFields(own: Fields): void {
  fields = own;
}

/** The public id. */
export function handleId(handle: Handle): number {
  return idOf(fields.slotOf(handle), fields.generationOf(handle));
}

/** The error of any use of a dead handle. */
export function deadError(handle: Handle): Error {
  return errors.useAfterFree('MemoryBlock', handleId(handle));
}

/** The error of a `this` or an argument that is no handle. */
export function forgedError(name: string, value: unknown): Error {
  return errors.invalidArgType(name, 'MemoryBlock', value);
}
