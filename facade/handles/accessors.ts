/**
 * Accessors: the typed getters and setters that every kind of native memory has. Each checks liveness and bounds, every time.
 * Room: handles (5). May use: primordials, types, errors.
 */
import * as errors from '../errors.js';
import * as p from '../primordials.js';
import type { SafeDataView } from '../primordials.js';
import type { NativeMemory } from '../types.js';

type Kind = 'Int8' | 'Uint8' | 'Int16' | 'Uint16' | 'Int32' | 'Uint32' | 'Float32' | 'Float64' | 'BigInt64' | 'BigUint64';

/** The name of a getter or setter. */
export type Method = `${'get' | 'set'}${Kind}`;

/**
 * Thrown instead of calling what makes a view. V8 lays out a handler's code apart; a call between the checks of an access would cost
 * every access 2 to 4 ns, because all that is live around it goes to the stack and back. Happens once per span and once per viewed chunk.
 */
export const NOT_READY: unique symbol = Symbol('offheap.notReady');

/** The getters and setters of {@link NativeMemory}. */
export type Accessors = Pick<NativeMemory, Method>;

/** What a class knows of its memory. */
export interface Access<Self> {
  /** Where `width` bytes at `offset` are in their view; throws unless `self` is genuine, live, and has them. */
  locate(self: Self, offset: number, width: number): number;
  /** The view to use for a located offset. */
  view(self: Self, offset: number): SafeDataView;
  /** Notes that it is written to. */
  touch(self: Self): void;
  /** After `locate` or `view` threw, or the view itself (a detached one): makes what is {@link NOT_READY}, else throws what users should read. */
  prepare(self: Self, error: unknown): void;
}

/** Puts the accessors on a class. Twenty plain functions and no base class: a derived object costs 15 ns more to make. */
export function installAccessors<Self>(prototype: object, access: Access<Self>): void {
  const own = { __proto__: null } as Methods;
  const made = { ...access, methods: own };
  const methods = { ...integerGetters(made), ...wideGetters(made), ...integerSetters(made), ...wideSetters(made) };
  for (const name of p.keys(methods) as Method[]) {
    own[name] = methods[name] as never;
    p.define(prototype, name, methods[name]);
  }
}

/** By name, whatever a script makes of the prototype. */
type Methods = { [name in Method]?: (...args: unknown[]) => unknown };
type Made<Self> = Access<Self> & { readonly methods: Methods };

/** The slow way: prepares the memory for access, and tries once more. */
function again<Self>(access: Made<Self>, self: Self, error: unknown, method: Method, ...args: unknown[]): unknown {
  access.prepare(self, error);
  return p.reflectApply(access.methods[method] as never, self, args);
}

function needNumber(value: unknown): void {
  if (typeof value !== 'number') throw errors.invalidArgType('value', 'number', value);
}

function needBigint(value: unknown): void {
  if (typeof value !== 'bigint') throw errors.invalidArgType('value', 'bigint', value);
}

function integerGetters<Self>(access: Made<Self>) {
  const { locate, view } = access;
  return {
    getInt8(this: Self, offset: number): number {
      try {
        const at = locate(this, offset, 1);
        return view(this, offset).getInt8(at);
      } catch (error) {
        return again(access, this, error, 'getInt8', offset) as number;
      }
    },
    getUint8(this: Self, offset: number): number {
      try {
        const at = locate(this, offset, 1);
        return view(this, offset).getUint8(at);
      } catch (error) {
        return again(access, this, error, 'getUint8', offset) as number;
      }
    },
    getInt16(this: Self, offset: number, littleEndian: boolean = true): number {
      try {
        const at = locate(this, offset, 2);
        return view(this, offset).getInt16(at, littleEndian);
      } catch (error) {
        return again(access, this, error, 'getInt16', offset, littleEndian) as number;
      }
    },
    getUint16(this: Self, offset: number, littleEndian: boolean = true): number {
      try {
        const at = locate(this, offset, 2);
        return view(this, offset).getUint16(at, littleEndian);
      } catch (error) {
        return again(access, this, error, 'getUint16', offset, littleEndian) as number;
      }
    },
    getInt32(this: Self, offset: number, littleEndian: boolean = true): number {
      try {
        const at = locate(this, offset, 4);
        return view(this, offset).getInt32(at, littleEndian);
      } catch (error) {
        return again(access, this, error, 'getInt32', offset, littleEndian) as number;
      }
    },
    getUint32(this: Self, offset: number, littleEndian: boolean = true): number {
      try {
        const at = locate(this, offset, 4);
        return view(this, offset).getUint32(at, littleEndian);
      } catch (error) {
        return again(access, this, error, 'getUint32', offset, littleEndian) as number;
      }
    },
  };
}

function wideGetters<Self>(access: Made<Self>) {
  const { locate, view } = access;
  return {
    getFloat32(this: Self, offset: number, littleEndian: boolean = true): number {
      try {
        const at = locate(this, offset, 4);
        return view(this, offset).getFloat32(at, littleEndian);
      } catch (error) {
        return again(access, this, error, 'getFloat32', offset, littleEndian) as number;
      }
    },
    getFloat64(this: Self, offset: number, littleEndian: boolean = true): number {
      try {
        const at = locate(this, offset, 8);
        return view(this, offset).getFloat64(at, littleEndian);
      } catch (error) {
        return again(access, this, error, 'getFloat64', offset, littleEndian) as number;
      }
    },
    getBigInt64(this: Self, offset: number, littleEndian: boolean = true): bigint {
      try {
        const at = locate(this, offset, 8);
        return view(this, offset).getBigInt64(at, littleEndian);
      } catch (error) {
        return again(access, this, error, 'getBigInt64', offset, littleEndian) as bigint;
      }
    },
    getBigUint64(this: Self, offset: number, littleEndian: boolean = true): bigint {
      try {
        const at = locate(this, offset, 8);
        return view(this, offset).getBigUint64(at, littleEndian);
      } catch (error) {
        return again(access, this, error, 'getBigUint64', offset, littleEndian) as bigint;
      }
    },
  };
}

function integerSetters<Self>(access: Made<Self>) {
  const { locate, view, touch } = access;
  return {
    setInt8(this: Self, offset: number, value: number): void {
      try {
        const at = locate(this, offset, 1);
        touch(this);
        needNumber(value);
        view(this, offset).setInt8(at, value);
      } catch (error) {
        again(access, this, error, 'setInt8', offset, value);
      }
    },
    setUint8(this: Self, offset: number, value: number): void {
      try {
        const at = locate(this, offset, 1);
        touch(this);
        needNumber(value);
        view(this, offset).setUint8(at, value);
      } catch (error) {
        again(access, this, error, 'setUint8', offset, value);
      }
    },
    setInt16(this: Self, offset: number, value: number, littleEndian: boolean = true): void {
      try {
        const at = locate(this, offset, 2);
        touch(this);
        needNumber(value);
        view(this, offset).setInt16(at, value, littleEndian);
      } catch (error) {
        again(access, this, error, 'setInt16', offset, value, littleEndian);
      }
    },
    setUint16(this: Self, offset: number, value: number, littleEndian: boolean = true): void {
      try {
        const at = locate(this, offset, 2);
        touch(this);
        needNumber(value);
        view(this, offset).setUint16(at, value, littleEndian);
      } catch (error) {
        again(access, this, error, 'setUint16', offset, value, littleEndian);
      }
    },
    setInt32(this: Self, offset: number, value: number, littleEndian: boolean = true): void {
      try {
        const at = locate(this, offset, 4);
        touch(this);
        needNumber(value);
        view(this, offset).setInt32(at, value, littleEndian);
      } catch (error) {
        again(access, this, error, 'setInt32', offset, value, littleEndian);
      }
    },
    setUint32(this: Self, offset: number, value: number, littleEndian: boolean = true): void {
      try {
        const at = locate(this, offset, 4);
        touch(this);
        needNumber(value);
        view(this, offset).setUint32(at, value, littleEndian);
      } catch (error) {
        again(access, this, error, 'setUint32', offset, value, littleEndian);
      }
    },
  };
}

function wideSetters<Self>(access: Made<Self>) {
  const { locate, view, touch } = access;
  return {
    setFloat32(this: Self, offset: number, value: number, littleEndian: boolean = true): void {
      try {
        const at = locate(this, offset, 4);
        touch(this);
        needNumber(value);
        view(this, offset).setFloat32(at, value, littleEndian);
      } catch (error) {
        again(access, this, error, 'setFloat32', offset, value, littleEndian);
      }
    },
    setFloat64(this: Self, offset: number, value: number, littleEndian: boolean = true): void {
      try {
        const at = locate(this, offset, 8);
        touch(this);
        needNumber(value);
        view(this, offset).setFloat64(at, value, littleEndian);
      } catch (error) {
        again(access, this, error, 'setFloat64', offset, value, littleEndian);
      }
    },
    setBigInt64(this: Self, offset: number, value: bigint, littleEndian: boolean = true): void {
      try {
        const at = locate(this, offset, 8);
        touch(this);
        needBigint(value);
        view(this, offset).setBigInt64(at, value, littleEndian);
      } catch (error) {
        again(access, this, error, 'setBigInt64', offset, value, littleEndian);
      }
    },
    setBigUint64(this: Self, offset: number, value: bigint, littleEndian: boolean = true): void {
      try {
        const at = locate(this, offset, 8);
        touch(this);
        needBigint(value);
        view(this, offset).setBigUint64(at, value, littleEndian);
      } catch (error) {
        again(access, this, error, 'setBigUint64', offset, value, littleEndian);
      }
    },
  };
}
