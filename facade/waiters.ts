/**
 * Waiters: a queue of those who wait for something, first come first served, each with a signal and a time-out of its own.
 * Room: waiters (3). May use: primordials, types, errors.
 */
import { addAbortListener } from 'node:events';
import * as errors from './errors.js';
import * as p from './primordials.js';

const { setTimeout, clearTimeout } = globalThis;

/** One who waits. Once it has ended it is in no queue. */
export interface Waiter<Value> {
  /** Gives it what it waits for. False, and nothing happens, when it has ended. */
  succeed(value: Value): boolean;
  fail(reason: unknown): void;
}

interface Place<Value> extends Waiter<Value> {
  previous: Place<Value> | undefined;
  next: Place<Value> | undefined;
}

/** What a caller waits with. */
export interface Wait<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (reason: unknown) => void;
  readonly signal: AbortSignal | undefined;
  /** 0: not at all. */
  readonly timeoutMs: number | undefined;
}

/** A queue. */
export interface Waiters<Value> {
  first(): Waiter<Value> | undefined;
  count(): number;
  /** Fails with the signal's reason, or with `ERR_OFFHEAP_TIMEOUT` after `timeoutMs`. Throws, and nobody waits, when the signal's own methods
   * throw. */
  enter(wait: Wait<Value>): void;
}

export function makeQueue<Value>(): Waiters<Value> {
  let first: Place<Value> | undefined;
  let last: Place<Value> | undefined;
  let count = 0;

  function enter({ resolve, reject, signal, timeoutMs }: Wait<Value>): void {
    const late = (): Error => errors.timedOut('MemoryPool.acquireAsync()', timeoutMs as number);
    if (timeoutMs === 0) throw late();
    let isWaiting = false;
    const place: Place<Value> = { succeed, fail, previous: undefined, next: undefined };
    const abort = (): void => fail(signal === undefined ? undefined : p.abortReason(signal));
    // First: these are the caller's methods, and may throw, or do anything.
    const listener = signal === undefined ? undefined : addAbortListener(signal, abort);
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => fail(late()), timeoutMs);
    append(place);
    isWaiting = true;
    if (signal !== undefined && p.isAborted(signal)) abort(); // meanwhile

    function succeed(value: Value): boolean {
      if (signal !== undefined && p.isAborted(signal)) abort(); // somebody kept that from us
      if (!end()) return false;
      resolve(value);
      return true;
    }

    function fail(reason: unknown): void {
      if (end()) reject(reason);
    }

    function end(): boolean {
      if (!isWaiting) return false;
      isWaiting = false;
      remove(place);
      clearTimeout(timer);
      try {
        listener?.[p.dispose]();
      } catch {
        // the caller's method: what it listened for has ended all the same
      }
      return true;
    }
  }

  function append(place: Place<Value>): void {
    place.previous = last;
    if (last === undefined) first = place;
    else last.next = place;
    last = place;
    count += 1;
  }

  function remove({ previous, next }: Place<Value>): void {
    if (previous === undefined) first = next;
    else previous.next = next;
    if (next === undefined) last = previous;
    else next.previous = previous;
    count -= 1;
  }

  return { first: () => first, count: () => count, enter };
}
