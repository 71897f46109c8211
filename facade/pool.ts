/**
 * Pool: MemoryPool, blocks of one size that are kept ready, with a limit and a queue for those who wait.
 * Room: pool (8). May use: everything below.
 */
import { inspect } from 'node:util';
import * as errors from './errors.js';
import { formatPool, makeStats } from './format.js';
import { create, giveToPool, takeNatively, takePooled } from './handles/block.js';
import type { MemoryBlock } from './handles/block.js';
import { alignmentCode } from './handles/facts.js';
import { NO_MAGAZINE } from './handles/front.js';
import { fields, handleId } from './handles/handle.js';
import { notBlockError } from './handles/grant.js';
import { closePool, openPool, poolOf, releaseTo } from './handles/pooled.js';
import type { PoolOwner } from './handles/pooled.js';
import { labelNumber, requireAvailable } from './handles/request.js';
import { hasStack, requireStack } from './handles/stack.js';
import { ARGUMENT, RESULT, T, failure, figure, isLive, poolNumberOf, status } from './handles/table.js';
import { binding } from './native.js';
import { validateAcquireOptions, validateAlignment, validateLength, validatePoolOptions, validateSize } from './options.js';
import * as p from './primordials.js';
import type { AcquireOptions, Alignment, PoolOptions, PoolStats } from './types.js';
import { makeQueue } from './waiters.js';
import type { Waiters } from './waiters.js';

const { setInterval, clearInterval } = globalThis;

const KIND = 'MemoryPool';
/** Idle blocks that a pool keeps when it is not told. */
const MAX_POOL_SIZE = 64;
/** While somebody waits, it is looked so often whether the garbage collector brought a block back, or a limit was lifted. */
const LOOK_MS = 100;

const { poolAcquire } = binding;

interface State extends PoolOwner {
  readonly number: number;
  readonly blockSize: number;
  readonly maxSize: number;
  readonly limit: number | undefined;
  readonly label: string | undefined;
  readonly waiters: Waiters<MemoryBlock>;
  /** Where blocks lie that need no native call: see handles/front.ts. */
  magazine: number;
  isClosed: boolean;
  /** Whether what is released passes the native side, since somebody waits for it. */
  isGated: boolean;
  /** Looks for those who wait. */
  timer: NodeJS.Timeout | undefined;
}
let stateIn: (pool: MemoryPool) => State;

/** Out of line, as all refusals on short paths: V8 inlines what is short. */
function refuseThis(value: unknown): never {
  throw errors.invalidArgType('this', KIND, value);
}

/** A pool that nobody has any more keeps no idle blocks. Those in use are their holders'; those who wait go on, so it stays for them. */
const dropped = new FinalizationRegistry<State>((state) => {
  if (state.waiters.first() === undefined) close(state);
});
const registerDropped = p.uncurryThis(dropped.register as (this: typeof dropped, target: object, held: State) => void);

/**
 * Blocks of `blockSize` bytes, kept ready for the isolate that made the pool. Every `acquire()` gives a fresh handle; `release()`, the
 * block's own `free()`, or `using` brings it back, and then its views have length 0.
 */
export class MemoryPool implements Disposable {
  readonly #state: State;

  static {
    stateIn = (pool) => {
      try {
        return pool.#state; // throws for whatever is no pool: asking first costs as much as all the rest of an acquire
      } catch {
        return refuseThis(pool);
      }
    };
  }

  /** At most `maxPoolSize` idle blocks (default 64) are kept; more go back to the other caches. */
  constructor(blockSize: number, alignment?: Alignment, maxPoolSize: number = MAX_POOL_SIZE, options?: PoolOptions) {
    validateSize(blockSize, 'blockSize');
    const { mode, log2 } = validateAlignment(alignment);
    validateLength(maxPoolSize, 'maxPoolSize');
    const maxSize = maxPoolSize + 0; // −0 is 0
    const { zeroOnRelease, zeroed, limit, label } = validatePoolOptions(options);
    requireAvailable();
    requireStack(); // until the pool that was opened has its object
    const title = label === undefined || label === '' ? KIND : `${KIND} '${label}'`;
    const number = labelNumber(label);
    const code = alignmentCode(mode, log2);
    binding.poolOpen(p.utf8(title), blockSize, code, zeroed ? 1 : 0, number, maxSize, limit ?? p.MAX_SAFE_INTEGER, zeroOnRelease ? 1 : 0);
    if (status() !== 0) throw failure(KIND, 0, 'opened');
    const state: State = {
      title,
      number: T[RESULT + 1] as number,
      blockSize,
      maxSize,
      limit,
      label,
      waiters: makeQueue(),
      magazine: (T[RESULT + 2] as number) === 0 ? NO_MAGAZINE : (T[RESULT + 2] as number),
      isClosed: false,
      isGated: false,
      timer: undefined,
      released: () => serve(state),
    };
    openPool(state.number, state);
    registerDropped(dropped, this, state);
    this.#state = state;
  }

  /** A block of its own, uninitialised unless `zeroed` was asked or it was released before. At the limit, or while others wait in
   * {@link acquireAsync}: `ERR_OFFHEAP_LIMIT`. */
  acquire(): MemoryBlock {
    return takePooled(this, stateOf(this), acquireAnyhow); // nobody waits while something lies in the magazine
  }

  /** A block as soon as one is free, first come first served. Rejects with `signal.reason`, with `ERR_OFFHEAP_TIMEOUT` after `timeoutMs`
   * (0: unless one is free now), with `ERR_OFFHEAP_CLOSED` when the pool is closed. */
  acquireAsync(options?: AcquireOptions): Promise<MemoryBlock> {
    return p.promise<MemoryBlock>((resolve, reject) => {
      stateOf(this);
      const { signal, timeoutMs } = validateAcquireOptions(options);
      requireStack(); // until a block that was taken is the caller's
      const state = openState(this); // now: a getter of `options` is the caller's code
      if (signal !== undefined && p.isAborted(signal)) throw p.abortReason(signal);
      const block = takeInTurn(state);
      if (block !== undefined) {
        resolve(block);
        return;
      }
      state.waiters.enter({ resolve, reject, signal, timeoutMs });
      gate(state, true);
      watch(state);
      serve(state); // the signal's methods are the caller's too
    });
  }

  /** Takes a block of this pool back. Another owner's is `ERR_OFFHEAP_FOREIGN_BLOCK`, a dead one `ERR_OFFHEAP_DOUBLE_FREE`, a pinned one
   * `ERR_OFFHEAP_IN_USE`. */
  release(block: MemoryBlock): void {
    const { magazine } = stateOf(this);
    if (!giveToPool(block, magazine)) releaseAnyhow(this, block);
  }

  /** Drops all idle blocks. */
  clear(): void {
    const { number } = openState(this);
    T[ARGUMENT] = number;
    binding.poolClear();
    if (status() !== 0) throw failure(KIND, 0, 'cleared');
  }

  /** Drops all idle blocks and turns waiters away; blocks in use stay valid, and are freed by their own `free()`. A second time does
   * nothing. */
  close(): void {
    close(stateOf(this));
  }

  getStats(): PoolStats {
    const { number, blockSize, maxSize, waiters } = openState(this);
    const figureOf = (index: number): number => {
      T[ARGUMENT] = number;
      return binding.poolFigure(index);
    };
    return makeStats<PoolStats>('PoolStats', {
      blockSize,
      available: figureOf(0),
      inUse: figureOf(1),
      maxSize,
      waiters: waiters.count(),
      hits: figureOf(2),
      misses: figureOf(3),
    });
  }

  [Symbol.dispose](): void {
    close(stateOf(this));
  }

  toString(): string {
    return toText(this);
  }
}

/** A constant, which V8 folds. */
const stateOf = stateIn;

p.define(MemoryPool.prototype, inspect.custom, function inspectPool(this: unknown): string {
  try {
    return toText(this as MemoryPool);
  } catch {
    return `${KIND} {}`;
  }
});

function openState(pool: MemoryPool): State {
  const state = stateOf(pool);
  if (state.isClosed) throw errors.closed(KIND, state.label ?? '');
  return state;
}

/** Takes back what needs a native call, or refuses it. */
function releaseAnyhow(pool: MemoryPool, block: MemoryBlock): void {
  const state = openState(pool);
  if (!fields.isHandle(block)) throw notBlockError(block, state.title);
  const slot = fields.slotOf(block);
  if (!isLive(slot, fields.generationOf(block))) throw errors.doubleFree('MemoryBlock', handleId(block), 'it was released or freed before');
  if (poolNumberOf(slot) !== state.number) {
    throw errors.foreignBlock('MemoryBlock', handleId(block), poolOf(block)?.title ?? 'DirectMemoryManager', state.title);
  }
  releaseTo(block, state.number, state);
}

/** A block that is not at hand. */
function acquireAnyhow(pool: MemoryPool): MemoryBlock {
  const state = openState(pool);
  const block = takeInTurn(state);
  if (block === undefined) throw errors.poolLimitReached(state.limit as number);
  return block;
}

/** What is released passes the native side, which the queue hears of; or no more. */
function gate(state: State, isGated: boolean): void {
  if (state.isGated === isGated || state.isClosed) return;
  state.isGated = isGated;
  T[ARGUMENT] = state.number;
  T[ARGUMENT + 1] = isGated ? 1 : 0;
  binding.poolGate();
}

/** A block; undefined at the pool's own limit. */
function takeAnyhow(state: State): MemoryBlock | undefined {
  const block = create(state.blockSize);
  T[ARGUMENT] = state.number;
  const slot = takeNatively(block, poolAcquire);
  if (slot > 0) return block;
  if (slot === 0) return takePooled(state, state, takeAnyhow); // there is one now, unless another thread set a limit meanwhile
  const code = errors.ERROR_CODES[status() - 1];
  if (code === 'ERR_OFFHEAP_LIMIT' && figure(4) === 0) return undefined;
  throw code === 'ERR_OFFHEAP_CLOSED' ? errors.closed(KIND, state.label ?? '') : failure(KIND, 0, 'acquired');
}

/** A block for one who does not wait; undefined at the limit, or when others wait. */
function takeInTurn(state: State): MemoryBlock | undefined {
  serve(state);
  if (state.waiters.first() !== undefined) return undefined;
  const block = takeAnyhow(state);
  if (block !== undefined) return block;
  binding.settle(); // blocks that were dropped, and whose buffers are gone
  return takeAnyhow(state);
}

/** Gives blocks to those who wait, as long as there are any; in a closed pool, turns them away. */
function serve(state: State): void {
  if (state.waiters.first() === undefined || !hasStack()) return; // where the stack would end in the middle, `watch` does it
  for (let waiter = state.waiters.first(); waiter !== undefined; waiter = state.waiters.first()) {
    if (state.isClosed) {
      waiter.fail(errors.closed(KIND, state.label ?? ''));
      continue;
    }
    try {
      const block = takeAnyhow(state);
      if (block === undefined) return;
      if (!waiter.succeed(block)) releaseTo(block, state.number, state);
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ERR_OFFHEAP_LIMIT') return; // the process's: it may be lifted
      waiter.fail(error); // no memory: the next one may have more luck
    }
  }
}

/** Looks after those who wait, until nobody does. */
function watch(state: State): void {
  state.timer ??= setInterval(() => {
    binding.settle();
    serve(state);
    if (state.waiters.first() !== undefined) return;
    clearInterval(state.timer);
    state.timer = undefined;
    gate(state, false);
  }, LOOK_MS).unref();
}

function close(state: State): void {
  if (state.isClosed) return;
  state.isClosed = true;
  state.magazine = NO_MAGAZINE; // the same words may be another pool's tomorrow
  T[ARGUMENT] = state.number;
  binding.poolClose();
  closePool(state.number);
  serve(state);
}

function toText(pool: MemoryPool): string {
  const { blockSize, maxSize, limit, label, isClosed } = stateOf(pool);
  return formatPool({ label, blockSize, maxSize, limit, isClosed });
}
