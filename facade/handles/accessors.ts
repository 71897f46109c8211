/**
 * Accessors: the typed getters and setters that every kind of native memory has. Each checks liveness and bounds, every time.
 * Room: handles (5). May use: primordials, types, errors, hidden.
 */
import * as errors from '../errors.js';
import * as p from '../primordials.js';
import type { SafeDataView } from '../primordials.js';
import type { NativeMemory } from '../types.js';
import { NEAR_MAX, farOffset } from './hidden.js';

type Kind = 'Int8' | 'Uint8' | 'Int16' | 'Uint16' | 'Int32' | 'Uint32' | 'Float32' | 'Float64' | 'BigInt64' | 'BigUint64';

/** The getters and setters of {@link NativeMemory}. */
export type Accessors = Pick<NativeMemory, `${'get' | 'set'}${Kind}`>;

/** What a class knows of its memory. */
export interface Access<Self> {
  /** Where `width` bytes at `offset` are in the view; throws unless `self` is genuine, live, and has them. */
  locate(self: Self, offset: number, width: number): number;
  /** The view to use at a located place. */
  view(self: Self, at: number): SafeDataView;
  /** What to throw when the view refuses: its buffer was transferred away. Cheaper than to ask the buffer before each access. */
  explain(self: Self, error: unknown): unknown;
}

/** Puts the accessors on a class. Twenty plain functions and no base class: a derived object costs 15 ns more to make. */
export function installAccessors<Self>(prototype: object, access: Access<Self>): void {
  const methods = { ...integerGetters(access), ...wideGetters(access), ...integerSetters(access), ...wideSetters(access) };
  for (const name of p.keys(methods)) p.define(prototype, name, methods[name as keyof typeof methods]);
}

/** A place in its view: the view of a far place begins there. */
function near(at: number): number {
  return at <= NEAR_MAX ? at : farOffset(at);
}

function needNumber(value: unknown): void {
  if (typeof value !== 'number') throw errors.invalidArgType('value', 'number', value);
}

function needBigint(value: unknown): void {
  if (typeof value !== 'bigint') throw errors.invalidArgType('value', 'bigint', value);
}

function integerGetters<Self>({ locate, view, explain }: Access<Self>) {
  return {
    getInt8(this: Self, offset: number): number {
      const at = locate(this, offset, 1);
      try {
        return view(this, at).getInt8(near(at));
      } catch (error) {
        throw explain(this, error);
      }
    },
    getUint8(this: Self, offset: number): number {
      const at = locate(this, offset, 1);
      try {
        return view(this, at).getUint8(near(at));
      } catch (error) {
        throw explain(this, error);
      }
    },
    getInt16(this: Self, offset: number, littleEndian: boolean = true): number {
      const at = locate(this, offset, 2);
      try {
        return view(this, at).getInt16(near(at), littleEndian);
      } catch (error) {
        throw explain(this, error);
      }
    },
    getUint16(this: Self, offset: number, littleEndian: boolean = true): number {
      const at = locate(this, offset, 2);
      try {
        return view(this, at).getUint16(near(at), littleEndian);
      } catch (error) {
        throw explain(this, error);
      }
    },
    getInt32(this: Self, offset: number, littleEndian: boolean = true): number {
      const at = locate(this, offset, 4);
      try {
        return view(this, at).getInt32(near(at), littleEndian);
      } catch (error) {
        throw explain(this, error);
      }
    },
    getUint32(this: Self, offset: number, littleEndian: boolean = true): number {
      const at = locate(this, offset, 4);
      try {
        return view(this, at).getUint32(near(at), littleEndian);
      } catch (error) {
        throw explain(this, error);
      }
    },
  };
}

function wideGetters<Self>({ locate, view, explain }: Access<Self>) {
  return {
    getFloat32(this: Self, offset: number, littleEndian: boolean = true): number {
      const at = locate(this, offset, 4);
      try {
        return view(this, at).getFloat32(near(at), littleEndian);
      } catch (error) {
        throw explain(this, error);
      }
    },
    getFloat64(this: Self, offset: number, littleEndian: boolean = true): number {
      const at = locate(this, offset, 8);
      try {
        return view(this, at).getFloat64(near(at), littleEndian);
      } catch (error) {
        throw explain(this, error);
      }
    },
    getBigInt64(this: Self, offset: number, littleEndian: boolean = true): bigint {
      const at = locate(this, offset, 8);
      try {
        return view(this, at).getBigInt64(near(at), littleEndian);
      } catch (error) {
        throw explain(this, error);
      }
    },
    getBigUint64(this: Self, offset: number, littleEndian: boolean = true): bigint {
      const at = locate(this, offset, 8);
      try {
        return view(this, at).getBigUint64(near(at), littleEndian);
      } catch (error) {
        throw explain(this, error);
      }
    },
  };
}

function integerSetters<Self>({ locate, view, explain }: Access<Self>) {
  return {
    setInt8(this: Self, offset: number, value: number): void {
      const at = locate(this, offset, 1);
      needNumber(value);
      try {
        view(this, at).setInt8(near(at), value);
      } catch (error) {
        throw explain(this, error);
      }
    },
    setUint8(this: Self, offset: number, value: number): void {
      const at = locate(this, offset, 1);
      needNumber(value);
      try {
        view(this, at).setUint8(near(at), value);
      } catch (error) {
        throw explain(this, error);
      }
    },
    setInt16(this: Self, offset: number, value: number, littleEndian: boolean = true): void {
      const at = locate(this, offset, 2);
      needNumber(value);
      try {
        view(this, at).setInt16(near(at), value, littleEndian);
      } catch (error) {
        throw explain(this, error);
      }
    },
    setUint16(this: Self, offset: number, value: number, littleEndian: boolean = true): void {
      const at = locate(this, offset, 2);
      needNumber(value);
      try {
        view(this, at).setUint16(near(at), value, littleEndian);
      } catch (error) {
        throw explain(this, error);
      }
    },
    setInt32(this: Self, offset: number, value: number, littleEndian: boolean = true): void {
      const at = locate(this, offset, 4);
      needNumber(value);
      try {
        view(this, at).setInt32(near(at), value, littleEndian);
      } catch (error) {
        throw explain(this, error);
      }
    },
    setUint32(this: Self, offset: number, value: number, littleEndian: boolean = true): void {
      const at = locate(this, offset, 4);
      needNumber(value);
      try {
        view(this, at).setUint32(near(at), value, littleEndian);
      } catch (error) {
        throw explain(this, error);
      }
    },
  };
}

function wideSetters<Self>({ locate, view, explain }: Access<Self>) {
  return {
    setFloat32(this: Self, offset: number, value: number, littleEndian: boolean = true): void {
      const at = locate(this, offset, 4);
      needNumber(value);
      try {
        view(this, at).setFloat32(near(at), value, littleEndian);
      } catch (error) {
        throw explain(this, error);
      }
    },
    setFloat64(this: Self, offset: number, value: number, littleEndian: boolean = true): void {
      const at = locate(this, offset, 8);
      needNumber(value);
      try {
        view(this, at).setFloat64(near(at), value, littleEndian);
      } catch (error) {
        throw explain(this, error);
      }
    },
    setBigInt64(this: Self, offset: number, value: bigint, littleEndian: boolean = true): void {
      const at = locate(this, offset, 8);
      needBigint(value);
      try {
        view(this, at).setBigInt64(near(at), value, littleEndian);
      } catch (error) {
        throw explain(this, error);
      }
    },
    setBigUint64(this: Self, offset: number, value: bigint, littleEndian: boolean = true): void {
      const at = locate(this, offset, 8);
      needBigint(value);
      try {
        view(this, at).setBigUint64(near(at), value, littleEndian);
      } catch (error) {
        throw explain(this, error);
      }
    },
  };
}
