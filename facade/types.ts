/**
 * Types: the shapes of the public contract. Sizes, lengths and offsets are bytes (integers up to 2^53 − 1), ages are milliseconds,
 * addresses are for showing only.
 * Room: types (0). May use: nothing.
 */

/** The named alignments. `'cache-line'` and `'page'` are asked of the OS, never constants. */
export const AlignmentMode: {
  /** What malloc gives. */
  readonly NONE: 'none';
  /** The machine word; the default. */
  readonly WORD_ALIGNED: 'word';
  readonly CACHE_LINE: 'cache-line';
  readonly PAGE_ALIGNED: 'page';
} = Object.freeze({ NONE: 'none', WORD_ALIGNED: 'word', CACHE_LINE: 'cache-line', PAGE_ALIGNED: 'page' });
export type AlignmentMode = (typeof AlignmentMode)[keyof typeof AlignmentMode];

/** How `copyMemory` moves the bytes. */
export const CopyMode: {
  /** Whatever is fastest at that size; the default. Streams past the cache where half of the largest one, or more, is copied. */
  readonly NORMAL: 'normal';
  /** Always streams past the caches: the target takes no room in them. The source does, so one larger than they are pushes out what they hold. */
  readonly NON_TEMPORAL: 'non-temporal';
  /** Reverses the bytes of each element of `elementSize` bytes. */
  readonly SWAP_ENDIAN: 'swap-endian';
} = Object.freeze({ NORMAL: 'normal', NON_TEMPORAL: 'non-temporal', SWAP_ENDIAN: 'swap-endian' });
export type CopyMode = (typeof CopyMode)[keyof typeof CopyMode];

/** The strategies of an AdvancedMemoryAllocator. */
export const AllocatorType: {
  readonly BUDDY_SYSTEM: 'buddy';
  readonly SLAB_ALLOCATOR: 'slab';
  readonly ARENA_ALLOCATOR: 'arena';
  readonly RING_BUFFER: 'ring';
  readonly OBJECT_POOL: 'pool';
  readonly HYBRID: 'hybrid';
} = Object.freeze({
  BUDDY_SYSTEM: 'buddy',
  SLAB_ALLOCATOR: 'slab',
  ARENA_ALLOCATOR: 'arena',
  RING_BUFFER: 'ring',
  OBJECT_POOL: 'pool',
  HYBRID: 'hybrid',
});
export type AllocatorType = (typeof AllocatorType)[keyof typeof AllocatorType];

/** A named mode, or a power of two in bytes, 1 … 2^30. */
export type Alignment = AlignmentMode | number;

/** What one element of a byte swap measures, in bytes. */
export type ElementSize = 2 | 4 | 8 | 16;

export interface AllocateOptions {
  /** Fill with zeros first. Default false: the bytes are whatever was there. */
  readonly zeroed?: boolean | undefined;
  /** Up to 256 characters that reports show beside the block. Default none. */
  readonly label?: string | undefined;
}

/** A byte, −128 … 255, or 1, 2, 4, 8 or 16 bytes that repeat from the offset on; what is left at the end is cut. */
export type FillValue = number | Uint8Array;

/** Any view or buffer of bytes that is not one of our handles. */
export type BytesLike = ArrayBufferView | ArrayBuffer;

export type TypedArrayConstructor =
  | Int8ArrayConstructor
  | Uint8ArrayConstructor
  | Uint8ClampedArrayConstructor
  | Int16ArrayConstructor
  | Uint16ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | Float32ArrayConstructor
  | Float64ArrayConstructor
  | BigInt64ArrayConstructor
  | BigUint64ArrayConstructor;

/** What `view()` can make. */
export type ViewConstructor = TypedArrayConstructor | DataViewConstructor;

/** What every piece of native memory can do, whoever owns it.
 *
 * Every method throws `ERR_OFFHEAP_USE_AFTER_FREE` on a freed handle, `ERR_OFFHEAP_CLOSED` when its allocator is closed, and
 * `ERR_OFFHEAP_ESCAPED` when its ArrayBuffer was transferred away; a forged `this` is TypeError `ERR_INVALID_ARG_TYPE`. Offsets and
 * lengths past the end are RangeError `ERR_OUT_OF_RANGE`. `id`, `size`, `address`, `isValid()` and `toString()` never throw for that. */
export interface NativeMemory extends Disposable {
  /** Never reused in a process. */
  readonly id: number;
  /** Bytes that were asked for. */
  readonly size: number;
  /** For showing and for native code; 0 is never a live address. */
  readonly address: bigint;
  /** Of a MemoryBlock that is free: only if it was read while live, else undefined. */
  readonly label: string | undefined;
  /** Whether the memory is still this handle's. */
  isValid(): boolean;
  /** Milliseconds since the allocation. */
  getAgeMs(): number;

  getInt8(offset: number): number;
  getUint8(offset: number): number;
  getInt16(offset: number, littleEndian?: boolean): number;
  getUint16(offset: number, littleEndian?: boolean): number;
  getInt32(offset: number, littleEndian?: boolean): number;
  getUint32(offset: number, littleEndian?: boolean): number;
  getFloat32(offset: number, littleEndian?: boolean): number;
  getFloat64(offset: number, littleEndian?: boolean): number;
  getBigInt64(offset: number, littleEndian?: boolean): bigint;
  getBigUint64(offset: number, littleEndian?: boolean): bigint;
  /** The setters wrap as DataView's do; a value that is no number (no bigint for the 64-bit ones) is `ERR_INVALID_ARG_TYPE`.
   * All accessors are little-endian unless told otherwise. */
  setInt8(offset: number, value: number): void;
  setUint8(offset: number, value: number): void;
  setInt16(offset: number, value: number, littleEndian?: boolean): void;
  setUint16(offset: number, value: number, littleEndian?: boolean): void;
  setInt32(offset: number, value: number, littleEndian?: boolean): void;
  setUint32(offset: number, value: number, littleEndian?: boolean): void;
  setFloat32(offset: number, value: number, littleEndian?: boolean): void;
  setFloat64(offset: number, value: number, littleEndian?: boolean): void;
  setBigInt64(offset: number, value: bigint, littleEndian?: boolean): void;
  setBigUint64(offset: number, value: bigint, littleEndian?: boolean): void;

  /** Sets `length` bytes (default: to the end) to `value`, 0 … 255 or −128 … 127. */
  fill(value: FillValue, offset?: number, length?: number): this;
  /** Copies `length` bytes (default: to the end) into `target`. The two may overlap. */
  copyTo(target: NativeMemory | BytesLike, targetOffset?: number, offset?: number, length?: number): void;
  /** Same size and same bytes. */
  equals(other: NativeMemory | BytesLike): boolean;

  /** A zero-copy view; its `buffer` may be longer than the memory, as a pooled Buffer's is. A MemoryBlock's free gives it
   * the length 0; of AllocatedMemory only `reset()` and `close()` do. */
  bytes(offset?: number, length?: number): Uint8Array;
  /** A zero-copy view of any kind. `offset` in bytes, a multiple of the element size, else RangeError; `length` in elements. */
  view<Constructor extends ViewConstructor>(constructor: Constructor, offset?: number, length?: number): Constructor['prototype'];
  /** A copy on the JavaScript heap. */
  copyOut(offset?: number, length?: number): Buffer;
  /** Decodes a snapshot: safe while another thread writes. `encoding` defaults to `'utf8'`. */
  text(offset?: number, length?: number, encoding?: BufferEncoding): string;

  /** Reads a word of 4 or 8 bytes, sequentially consistent with every other atomic operation on it, in any thread, `Atomics` on a view
   * included. `offset` in bytes, a multiple of the width, else RangeError. */
  atomicLoad<Type extends AtomicType>(type: Type, offset: number): AtomicNumbers[Type];
  /** These change the word in one step, and return what was there before. Values wrap as in the setters. */
  atomicStore<Type extends AtomicType>(type: Type, offset: number, value: AtomicNumbers[Type]): AtomicNumbers[Type];
  atomicAdd<Type extends AtomicType>(type: Type, offset: number, value: AtomicNumbers[Type]): AtomicNumbers[Type];
  atomicAnd<Type extends AtomicType>(type: Type, offset: number, value: AtomicNumbers[Type]): AtomicNumbers[Type];
  atomicOr<Type extends AtomicType>(type: Type, offset: number, value: AtomicNumbers[Type]): AtomicNumbers[Type];
  atomicXor<Type extends AtomicType>(type: Type, offset: number, value: AtomicNumbers[Type]): AtomicNumbers[Type];
  /** The same as `atomicStore`. */
  atomicExchange<Type extends AtomicType>(type: Type, offset: number, value: AtomicNumbers[Type]): AtomicNumbers[Type];
  /** Stores `replacement` if `expected` is there. */
  atomicCompareExchange<Type extends AtomicType>(
    type: Type,
    offset: number,
    expected: AtomicNumbers[Type],
    replacement: AtomicNumbers[Type],
  ): AtomicNumbers[Type];
  /** Waits until a `notify` for this word, from any thread, without blocking one: `'ok'`. When the word is not `expected` (a number: of 4
   * bytes, a bigint: of 8), `'not-equal'` at once; after `timeoutMs`, 0 … 2^31−1, `'timed-out'`. Pins the memory and keeps the process alive
   * meanwhile. Change the word first, then `notify`. */
  waitAsync(offset: number, expected: number | bigint, timeoutMs?: number): Promise<'ok' | 'not-equal' | 'timed-out'>;
  /** Wakes at most `count` (default: all) of those who wait for the word at `offset`, in the order in which they came. Returns how many. */
  notify(offset: number, count?: number): number;

  /** Keeps the memory from being freed until disposed; free meanwhile is `ERR_OFFHEAP_IN_USE`. */
  pin(): Disposable;
  /** Pins the memory until `use` is done, and hands it a view. */
  lease<Result>(use: (bytes: Uint8Array) => Promise<Result> | Result): Promise<Result>;
  /** Gives the memory back to its owner. A second time: `ERR_OFFHEAP_DOUBLE_FREE`; while pinned: `ERR_OFFHEAP_IN_USE`. */
  free(): void;
  /** As `free()`, but a second time is a no-op. */
  [Symbol.dispose](): void;
}

/** Stands for a block on its way to another holder: plain data, to be posted to a worker and given to `MemoryBlock.attach` there, once. */
export interface SharedToken {
  readonly type: 'offheap.SharedToken';
  /** Whoever knows it may attach the block. */
  readonly key: string;
  /** Of the block, bytes. */
  readonly size: number;
}

/** Of an atomic operation: a signed word of 4 bytes, whose values are numbers, or of 8 bytes, whose values are bigints. */
export type AtomicType = 'i32' | 'i64';
export interface AtomicNumbers {
  i32: number;
  i64: bigint;
}

/** What `getInstance` may be told beyond type, size and alignment. */
export interface AllocatorOptions {
  /** Of a ring that is full: `'error'` (the default) refuses, `'overwrite-oldest'` ends its oldest memory, whose handles then throw
   * `ERR_OFFHEAP_USE_AFTER_FREE`. For rings that one thread uses. */
  readonly overflow?: 'error' | 'overwrite-oldest' | undefined;
}

/** A remembered position of an arena: opaque. */
export interface ArenaMark {
  readonly [Symbol.toStringTag]: string;
}

/** A named region of native memory that one of six strategies cuts. One per name and process, workers included.
 *
 * Every method throws `ERR_OFFHEAP_CLOSED` once it is closed, but for `close()`, `name`, `type`, `totalSize` and `toString()`. */
export interface AdvancedMemoryAllocator extends Disposable {
  readonly name: string;
  readonly type: AllocatorType;
  /** Bytes of its region. */
  readonly totalSize: number;
  /** Of every address that it gives. */
  readonly alignment: Alignment;
  /** `size` bytes, uninitialised. No room now: `ERR_OFFHEAP_REGION_FULL`, with `available`; more than it can ever hold: RangeError `ERR_OUT_OF_RANGE`. */
  allocate(size: number, label?: string): AllocatedMemory;
  /** As `allocate`, but null when there is no room now. */
  tryAllocate(size: number): AllocatedMemory | null;
  /** Takes its own memory back. A second time: `ERR_OFFHEAP_DOUBLE_FREE`; another's: `ERR_OFFHEAP_FOREIGN_BLOCK`; pinned: `ERR_OFFHEAP_IN_USE`.
   * In an arena the space comes back with `reset()` or `rewind()` only, in a ring when what was allocated before is freed too. */
  free(memory: AllocatedMemory): void;
  /** Frees everything at once; all handles and views are dead. While something is pinned: `ERR_OFFHEAP_IN_USE`, and nothing has changed. */
  reset(): void;
  /** As `reset()`, and gives the region back; the name is free again. A second time it does nothing. */
  close(): void;
  /** Gives the pages of free memory back to the OS, and returns their bytes. */
  trim(): number;
  getStats(): AllocatorStats;
  /** Of an arena: its present position, for {@link rewind}. Of others `ERR_OFFHEAP_NOT_SUPPORTED`. */
  mark(): ArenaMark;
  /** Frees what was allocated since `mark`, which stays good. A stale or foreign mark is `ERR_INVALID_ARG_VALUE`. */
  rewind(mark: ArenaMark): void;
}

/** A range inside an allocator's region. Its views live until the allocator's `reset()` or `close()`. */
export interface AllocatedMemory extends NativeMemory {
  readonly allocator: AdvancedMemoryAllocator;
  /** Bytes from the start of the region. */
  readonly offset: number;
  /** Bytes that were granted; undefined when the memory is not there any more. */
  readonly allocatedSize: number;
  readonly requestedSize: number;
}

/** Process-wide figures, every isolate included: a fresh frozen snapshot. The first five and the three sizes count MemoryBlocks in the
 * program's hands, by the bytes that were asked for. */
export interface MemoryStats {
  /** Bytes, ever. */
  readonly totalAllocated: number;
  /** Bytes, ever. */
  readonly totalFreed: number;
  readonly currentAllocated: number;
  /** Exact with one isolate, else the highest total seen at a refill, a spill or a stats call. */
  readonly peakAllocated: number;
  readonly activeBlocks: number;
  /** Larger than every id handed out so far. Ids are unique, not consecutive. */
  readonly nextBlockId: number;
  /** Over live blocks, bytes; 0 when there is none. */
  readonly averageBlockSize: number;
  readonly minBlockSize: number;
  readonly maxBlockSize: number;
  /** Bytes taken from the OS: regions (a closed one until no thread views it), idle pool blocks, cached chunks and spans included. */
  readonly committed: number;
  /** Bytes that were freed and wait before their address is used again. */
  readonly quarantined: number;
  /** Bytes whose ArrayBuffer was transferred away, or that an ended isolate left viewed. */
  readonly escaped: number;
  /** Blocks that the garbage collector reclaimed because their handle was dropped. */
  readonly collected: number;
  readonly byAllocator: readonly AllocatorStats[];
}

/** One allocator: a fresh frozen snapshot. */
export interface AllocatorStats {
  readonly name: string;
  readonly allocatorType: AllocatorType;
  readonly totalSize: number;
  /** Bytes handed out, rounding included; in an arena and a ring the held space. */
  readonly allocatedSize: number;
  /** Bytes that were asked for and are live. */
  readonly requestedSize: number;
  readonly freeSize: number;
  /** The largest request that fits now. */
  readonly largestFree: number;
  readonly allocatedBlocks: number;
  readonly freeBlocks: number;
  /** Of an object pool: allocations that found an idle slot of their size, and that had to carve one. Of others 0. */
  readonly hits: number;
  readonly misses: number;
  /** Allocated over total, 0 … 100. */
  readonly utilizationPercent: number;
  /**
   * 0 … 100. `internal`: the part of what is handed out that nobody asked for. `external`: the part of what is free that cannot serve the largest
   * request for where the memory in use lies: beside live slots of a slab or a pool, outside the largest piece. 0 while nothing is in use.
   */
  readonly fragmentationPercent: { readonly internal: number; readonly external: number };
}

/** Of a MemoryPool. */
export interface PoolOptions {
  /** Zeroes what a released block holds, so that no later owner sees it. Default true. */
  readonly zeroOnRelease?: boolean | undefined;
  /** Every acquired block reads 0. Default false: one that was never released before is uninitialised. */
  readonly zeroed?: boolean | undefined;
  /** Blocks in use, at most; default: no limit of its own. */
  readonly limit?: number | undefined;
  /** Shown in reports; at most 256 characters. */
  readonly label?: string | undefined;
}

/** Of `acquireAsync`. */
export interface AcquireOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds, 0 … 2^31 − 1; default: as long as it takes. */
  readonly timeoutMs?: number | undefined;
}

/** Of `copyMemoryAsync`, `fillAsync` and `compareAsync`. */
export interface OperationOptions {
  /** Ends the operation within milliseconds, with `signal.reason`; what was done by then stays done. */
  readonly signal?: AbortSignal | undefined;
  /** Called about twenty times a second while a long operation goes on, and when it has succeeded. What it throws ends the operation. */
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined;
}

/** One MemoryPool: a fresh frozen snapshot. */
export interface PoolStats {
  /** Bytes. */
  readonly blockSize: number;
  /** Idle blocks kept ready. */
  readonly available: number;
  readonly inUse: number;
  readonly maxSize: number;
  /** Callers of `acquireAsync` in the queue. */
  readonly waiters: number;
  /** Acquires served from idle blocks; hits + misses = successful acquires. */
  readonly hits: number;
  readonly misses: number;
}

/** One live block, or one arena or ring as a whole: a snapshot row. */
export interface BlockInfo {
  readonly id: number;
  readonly kind: 'block' | 'pool' | 'allocator';
  /** Who must get it back. */
  readonly owner: string;
  readonly size: number;
  /** Bytes it really occupies. */
  readonly actualSize: number;
  readonly address: bigint;
  readonly alignment: Alignment;
  readonly label: string | undefined;
  readonly ageMs: number;
  readonly threadId: number;
  readonly pinned: boolean;
  readonly escaped: boolean;
  /** Where it was allocated, as far as `OFFHEAP_TRACK` keeps that. */
  readonly site?: string;
}
