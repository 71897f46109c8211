/**
 * Waiters: a queue of those who wait for something, first come first served, each with a signal and a time-out of its own.
 * Room: waiters (3). May use: primordials, types, errors.
 */
import * as errors from './errors.js';

const { setTimeout, clearTimeout, Promise: SafePromise } = globalThis;

interface Waiter<Value> {
  resolve: (value: Value) => void;
  reject: (reason: unknown) => void;
  /** Takes it out of the queue, and its time-out and listener away. */
  end: () => void;
  previous: Waiter<Value> | undefined;
  next: Waiter<Value> | undefined;
}

/** A queue. */
export interface Waiters<Value> {
  isEmpty(): boolean;
  count(): number;
  /** Rejects with `signal.reason`, or with `ERR_OFFHEAP_TIMEOUT` after `timeoutMs`. */
  wait(signal: AbortSignal | undefined, timeoutMs: number | undefined): Promise<Value>;
  /** For the first in the queue; there must be one. */
  resolveFirst(value: Value): void;
  rejectFirst(reason: unknown): void;
}

export function makeQueue<Value>(): Waiters<Value> {
  let first: Waiter<Value> | undefined;
  let last: Waiter<Value> | undefined;
  let count = 0;

  function leave(waiter: Waiter<Value>): void {
    const { previous, next } = waiter;
    if (previous === undefined) first = next;
    else previous.next = next;
    if (next === undefined) last = previous;
    else next.previous = previous;
    count -= 1;
  }

  function enter(waiter: Waiter<Value>): void {
    waiter.previous = last;
    if (last === undefined) first = waiter;
    else last.next = waiter;
    last = waiter;
    count += 1;
  }

  function wait(signal: AbortSignal | undefined, timeoutMs: number | undefined): Promise<Value> {
    const late = (): Error => errors.timedOut('MemoryPool.acquireAsync()', timeoutMs as number);
    return new SafePromise((resolve, reject) => {
      if (timeoutMs === 0) {
        reject(late());
        return;
      }
      let isWaiting = false;
      const fail = (reason: unknown): void => {
        if (!isWaiting) return;
        waiter.end();
        reject(reason as Error);
      };
      const abort = (): void => fail(signal?.reason);
      signal?.addEventListener('abort', abort, { once: true }); // first: it is the caller's code, and may throw
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => fail(late()), timeoutMs);
      const waiter: Waiter<Value> = {
        resolve,
        reject,
        end: () => {
          isWaiting = false;
          leave(waiter);
          clearTimeout(timer);
          try {
            signal?.removeEventListener('abort', abort);
          } catch {
            // also the caller's; what it wanted has ended all the same
          }
        },
        previous: undefined,
        next: undefined,
      };
      enter(waiter);
      isWaiting = true;
      if (signal?.aborted === true) abort(); // while it was listened to
    });
  }

  /** Takes the first one out. */
  function shift(): Waiter<Value> {
    const waiter = first as Waiter<Value>;
    waiter.end();
    return waiter;
  }

  return {
    isEmpty: () => first === undefined,
    count: () => count,
    wait,
    resolveFirst: (value) => shift().resolve(value),
    rejectFirst: (reason) => shift().reject(reason),
  };
}
