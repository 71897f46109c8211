/**
 * Atomics: words that several threads change, and waiting for that. Native memory of both kinds has these methods. All are native calls:
 * one way for memory that was viewed and that was not, and for what no ArrayBuffer can show.
 * Room: handles (5). May use: primordials, types, errors, options, native, table, operand, waits.
 */
import * as errors from '../errors.js';
import { binding } from '../native.js';
import { validateAtomicType } from '../options.js';
import * as p from '../primordials.js';
import type { AtomicNumbers, AtomicType, NativeMemory } from '../types.js';
import { useWord } from './operand.js';
import { ARGUMENT, RESULT, T, stageWord, wideWord } from './table.js';
import { notifyWaiters, waitForWord } from './waits.js';

/** The methods of {@link NativeMemory}. */
export type AtomicMethods = Pick<
  NativeMemory,
  | 'atomicLoad'
  | 'atomicStore'
  | 'atomicAdd'
  | 'atomicAnd'
  | 'atomicOr'
  | 'atomicXor'
  | 'atomicExchange'
  | 'atomicCompareExchange'
  | 'waitAsync'
  | 'notify'
>;

/** Operations, as crates/offheap-node/src/atomics.rs numbers them. */
const LOAD = 0;
const EXCHANGE = 1;
const COMPARE_EXCHANGE = 6;
const CHANGES = [
  ['atomicStore', EXCHANGE],
  ['atomicAdd', 2],
  ['atomicAnd', 3],
  ['atomicOr', 4],
  ['atomicXor', 5],
  ['atomicExchange', EXCHANGE],
] as const;

type Value = number | bigint;


function requireValue(type: AtomicType, value: unknown, name: string): void {
  const wanted = type === 'i32' ? 'number' : 'bigint';
  if (typeof value !== wanted) throw errors.invalidArgType(name, wanted, value);
}

function change(self: NativeMemory, type: AtomicType, offset: number, operation: number, value: Value, expected: Value): Value {
  const width = type === 'i32' ? 4 : 8;
  useWord(self, offset, width, 'changed', (base, generation, start) => {
    stageWord(ARGUMENT, value);
    stageWord(ARGUMENT + 2, expected);
    binding.atomic(base, generation, start, width, operation);
  });
  return type === 'i32' ? (T[RESULT + 2] as number) : wideWord(RESULT + 2);
}

/** Puts the methods on a class. `check` refuses a forged or dead `this`; `pin` keeps its memory. */
export function installAtomics<Self extends NativeMemory>(prototype: object, check: (self: Self) => Self, pin: (self: Self) => Disposable): void {
  const methods = {
    atomicLoad(this: Self, type: AtomicType, offset: number): Value {
      const self = check(this);
      return change(self, validateAtomicType(type), offset, LOAD, 0, 0);
    },
    atomicCompareExchange(this: Self, type: AtomicType, offset: number, expected: Value, replacement: Value): Value {
      const self = check(this);
      const kind = validateAtomicType(type);
      requireValue(kind, expected, 'expected');
      requireValue(kind, replacement, 'replacement');
      return change(self, kind, offset, COMPARE_EXCHANGE, replacement, expected);
    },
    waitAsync(this: Self, offset: number, expected: Value, timeoutMs?: number): Promise<'ok' | 'not-equal' | 'timed-out'> {
      return p.promise((resolve) => {
        const self = check(this);
        waitForWord({ memory: self, offset, expected, timeoutMs, pin: () => pin(self), resolve });
      });
    },
    notify(this: Self, offset: number, count?: number): number {
      return notifyWaiters(check(this), offset, count);
    },
  };
  for (const name of p.keys(methods) as (keyof typeof methods)[]) p.define(prototype, name, methods[name]);
  for (const [name, operation] of CHANGES) {
    const changing = {
      [name](this: Self, type: AtomicType, offset: number, value: AtomicNumbers[AtomicType]): Value {
        const self = check(this);
        const kind = validateAtomicType(type);
        requireValue(kind, value, 'value');
        return change(self, kind, offset, operation, value, 0);
      },
    };
    p.define(prototype, name, changing[name]);
  }
}
