/**
 * Pool: MemoryPool, blocks of one size that are kept ready, with a limit and a queue for those who wait.
 * Room: pool (8). May use: everything below.
 */
import { inspect } from 'node:util';
import * as errors from './errors.js';
import { formatPool, makeStats } from './format.js';
import { blockOf, requireAvailable } from './handles/block.js';
import type { MemoryBlock } from './handles/block.js';
import { alignmentCode } from './handles/facts.js';
import { fields, handleId } from './handles/handle.js';
import { closePool, openPool, poolOf, releaseTo } from './handles/pooled.js';
import type { PoolOwner } from './handles/pooled.js';
import { ARGUMENT, RESULT, T, failure, figure, isLive, poolNumberOf, status } from './handles/table.js';
import { binding } from './native.js';
import { validateAcquireOptions, validateAlignment, validateLength, validatePoolOptions, validateSize } from './options.js';
import * as p from './primordials.js';
import type { AcquireOptions, Alignment, PoolOptions, PoolStats } from './types.js';
import { makeQueue } from './waiters.js';
import type { Waiters } from './waiters.js';

const KIND = 'MemoryPool';
/** Idle blocks that a pool keeps when it is not told. */
const MAX_POOL_SIZE = 64;

interface State extends PoolOwner {
  readonly number: number;
  readonly blockSize: number;
  readonly maxSize: number;
  readonly limit: number | undefined;
  readonly label: string | undefined;
  readonly waiters: Waiters<MemoryBlock>;
  isClosed: boolean;
}
let stateOf: (pool: MemoryPool) => State;

/**
 * Blocks of `blockSize` bytes, kept ready for the isolate that made the pool. Every `acquire()` gives a fresh handle; `release()`, the
 * block's own `free()`, or `using` brings it back, and then its views have length 0.
 */
export class MemoryPool implements Disposable {
  readonly #state: State;

  static {
    stateOf = (pool) => {
      if (typeof pool !== 'object' || pool === null || !(#state in pool)) throw errors.invalidArgType('this', KIND, pool);
      return pool.#state;
    };
  }

  /** At most `maxPoolSize` idle blocks (default 64) are kept; more go back to the other caches. */
  constructor(blockSize: number, alignment?: Alignment, maxPoolSize: number = MAX_POOL_SIZE, options?: PoolOptions) {
    validateSize(blockSize, 'blockSize');
    const { mode, log2 } = validateAlignment(alignment);
    validateLength(maxPoolSize, 'maxPoolSize');
    const { zeroOnRelease, zeroed, limit, label } = validatePoolOptions(options);
    requireAvailable();
    const title = label === undefined || label === '' ? KIND : `${KIND} '${label}'`;
    const number = label === undefined || label === '' ? 0 : binding.internLabel(label);
    const code = alignmentCode(mode, log2);
    binding.poolOpen(p.utf8(title), blockSize, code, zeroed ? 1 : 0, number, maxPoolSize, limit ?? p.MAX_SAFE_INTEGER, zeroOnRelease ? 1 : 0);
    if (status() !== 0) throw failure(KIND, 0, 'opened');
    const state: State = {
      title,
      number: T[RESULT + 1] as number,
      blockSize,
      maxSize: maxPoolSize,
      limit,
      label,
      waiters: makeQueue(),
      isClosed: false,
      released: () => serve(state),
    };
    openPool(state.number, state);
    this.#state = state;
  }

  /** A block of its own, uninitialised unless `zeroed` was asked or it was released before. At the limit, or while others wait in
   * {@link acquireAsync}: `ERR_OFFHEAP_LIMIT`. */
  acquire(): MemoryBlock {
    const state = openState(this);
    const block = state.waiters.isEmpty() ? take(state) : undefined;
    if (block === undefined) throw errors.poolLimitReached(state.limit as number);
    return block;
  }

  /** A block as soon as one is free, first come first served. Rejects with `signal.reason`, with `ERR_OFFHEAP_TIMEOUT` after `timeoutMs`
   * (0: unless one is free now), with `ERR_OFFHEAP_CLOSED` when the pool is closed. */
  async acquireAsync(options?: AcquireOptions): Promise<MemoryBlock> {
    const state = openState(this);
    const { signal, timeoutMs } = validateAcquireOptions(options);
    if (signal?.aborted === true) throw signal.reason;
    const block = state.waiters.isEmpty() ? take(state) : undefined;
    if (block !== undefined) return block;
    return state.waiters.wait(signal, timeoutMs);
  }

  /** Takes a block of this pool back. Another owner's is `ERR_OFFHEAP_FOREIGN_BLOCK`, a dead one `ERR_OFFHEAP_DOUBLE_FREE`, a pinned one
   * `ERR_OFFHEAP_IN_USE`. */
  release(block: MemoryBlock): void {
    const state = openState(this);
    if (!fields.isHandle(block)) throw errors.invalidArgType('block', 'MemoryBlock', block);
    const slot = fields.slotOf(block);
    if (!isLive(slot, fields.generationOf(block))) throw errors.doubleFree('MemoryBlock', handleId(block), 'it was released or freed before');
    if (poolNumberOf(slot) !== state.number) {
      throw errors.foreignBlock('MemoryBlock', handleId(block), poolOf(block)?.title ?? 'DirectMemoryManager', state.title);
    }
    releaseTo(block, state.number);
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

/** A block; undefined at the pool's own limit. */
function take(state: State): MemoryBlock | undefined {
  T[ARGUMENT] = state.number;
  binding.poolAcquire();
  if (T[RESULT] === 0) return blockOf(T[RESULT + 1] as number, T[RESULT + 2] as number, state.blockSize);
  if (errors.ERROR_CODES[status() - 1] === 'ERR_OFFHEAP_LIMIT' && figure(4) === 0) return undefined;
  throw failure(KIND, 0, 'acquired');
}

/** Gives blocks to those who wait, as long as there are any. */
function serve(state: State): void {
  while (!state.isClosed && !state.waiters.isEmpty()) {
    try {
      const block = take(state);
      if (block === undefined) return;
      state.waiters.resolveFirst(block);
    } catch (error) {
      state.waiters.rejectFirst(error); // no memory: the next one may have more luck
    }
  }
}

function close(state: State): void {
  if (state.isClosed) return;
  state.isClosed = true;
  T[ARGUMENT] = state.number;
  binding.poolClose();
  closePool(state.number);
  while (!state.waiters.isEmpty()) state.waiters.rejectFirst(errors.closed(KIND, state.label ?? ''));
}

function toText(pool: MemoryPool): string {
  const { blockSize, maxSize, limit, label, isClosed } = stateOf(pool);
  return formatPool({ label, blockSize, maxSize, limit, isClosed });
}
