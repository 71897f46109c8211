// The declarations of the package are those of the public contract, as far as it is built: every signature of DirectMemoryManager,
// MemoryBlock, OffHeapError, the enumerations, the statistics and the rows. What is wrong must not compile.
import { expectTypeOf } from 'expect-type';
import { AdvancedMemoryAllocator, AlignmentMode, AllocatedMemory, AllocatorType, CopyMode, DirectMemoryManager, MemoryBlock, OffHeapError } from 'offheap';
import type { AllocateOptions, Alignment, AllocatorStats, ArenaMark, AtomicNumbers, AtomicType, BlockInfo, BytesLike, ElementSize, FillValue, MemoryStats, NativeMemory, OperationOptions, PoolStats } from 'offheap';

type Manager = typeof DirectMemoryManager;
type Operand = NativeMemory | ArrayBufferView | ArrayBuffer;

// === Enumerations: objects of literals, and the union of their values under the same name ===

expectTypeOf(AlignmentMode).toEqualTypeOf<{ readonly NONE: 'none'; readonly WORD_ALIGNED: 'word'; readonly CACHE_LINE: 'cache-line'; readonly PAGE_ALIGNED: 'page' }>();
expectTypeOf<AlignmentMode>().toEqualTypeOf<'none' | 'word' | 'cache-line' | 'page'>();
expectTypeOf<Alignment>().toEqualTypeOf<AlignmentMode | number>();
expectTypeOf(CopyMode).toEqualTypeOf<{ readonly NORMAL: 'normal'; readonly NON_TEMPORAL: 'non-temporal'; readonly SWAP_ENDIAN: 'swap-endian' }>();
expectTypeOf<CopyMode>().toEqualTypeOf<'normal' | 'non-temporal' | 'swap-endian'>();
expectTypeOf(AllocatorType.BUDDY_SYSTEM).toEqualTypeOf<'buddy'>();
expectTypeOf(AllocatorType.SLAB_ALLOCATOR).toEqualTypeOf<'slab'>();
expectTypeOf(AllocatorType.ARENA_ALLOCATOR).toEqualTypeOf<'arena'>();
expectTypeOf(AllocatorType.RING_BUFFER).toEqualTypeOf<'ring'>();
expectTypeOf(AllocatorType.OBJECT_POOL).toEqualTypeOf<'pool'>();
expectTypeOf(AllocatorType.HYBRID).toEqualTypeOf<'hybrid'>();
expectTypeOf<ElementSize>().toEqualTypeOf<2 | 4 | 8 | 16>();
// @ts-expect-error the enumerations are read-only
AlignmentMode.NONE = 'none';

// === DirectMemoryManager ===

expectTypeOf<Manager['WORD_SIZE']>().toEqualTypeOf<number>();
expectTypeOf<Manager['CACHE_LINE_SIZE']>().toEqualTypeOf<number>();
expectTypeOf<Manager['PAGE_SIZE']>().toEqualTypeOf<number>();
expectTypeOf<Manager['unavailableReason']>().toEqualTypeOf<string | undefined>();
expectTypeOf(DirectMemoryManager.isAvailable).toEqualTypeOf<() => boolean>();
expectTypeOf(DirectMemoryManager.allocateMemory).toEqualTypeOf<(size: number, alignment?: Alignment, options?: AllocateOptions) => MemoryBlock>();
expectTypeOf<{ zeroed: true; label: 'x' }>().toExtend<AllocateOptions>();
expectTypeOf<{ zeroed?: boolean; label?: string }>().toExtend<AllocateOptions>();
expectTypeOf(DirectMemoryManager.reallocateMemory).toEqualTypeOf<(block: MemoryBlock, newSize: number) => MemoryBlock>();
expectTypeOf(DirectMemoryManager.freeMemory).toEqualTypeOf<(block: MemoryBlock) => void>();
expectTypeOf(DirectMemoryManager.freeAllMemory).toEqualTypeOf<() => number>();
expectTypeOf(DirectMemoryManager.setMemory).toBeCallableWith({} as MemoryBlock, 0, 1, 255);
expectTypeOf(DirectMemoryManager.setMemory).toBeCallableWith({} as MemoryBlock, 0, 1, Buffer.from('ab'));
expectTypeOf(DirectMemoryManager.setMemory).returns.toEqualTypeOf<void>();
expectTypeOf(DirectMemoryManager.zeroMemory).toBeCallableWith({} as MemoryBlock);
expectTypeOf(DirectMemoryManager.copyMemory).toEqualTypeOf<
  (source: Operand, sourceOffset: number, target: Operand, targetOffset: number, length: number, mode?: CopyMode, elementSize?: ElementSize) => void
>();
expectTypeOf(DirectMemoryManager.copyMemory).toBeCallableWith({} as MemoryBlock, 0, Buffer.alloc(1), 0, 1, CopyMode.SWAP_ENDIAN, 2);
expectTypeOf(DirectMemoryManager.copyMemory).toBeCallableWith(new ArrayBuffer(1), 0, new DataView(new ArrayBuffer(1)), 0, 1, 'normal');
expectTypeOf(DirectMemoryManager.compareMemory).toEqualTypeOf<(a: Operand, aOffset: number, b: Operand, bOffset: number, length: number) => -1 | 0 | 1>();
expectTypeOf(DirectMemoryManager.mismatch).toEqualTypeOf<(a: Operand, aOffset: number, b: Operand, bOffset: number, length: number) => number>();
expectTypeOf(DirectMemoryManager.copyMemoryAsync).toBeCallableWith({} as MemoryBlock, 0, Buffer.alloc(1), 0, 1, 'normal', 8, { signal: AbortSignal.timeout(1) });
expectTypeOf(DirectMemoryManager.copyMemoryAsync).returns.toEqualTypeOf<Promise<void>>();
expectTypeOf(DirectMemoryManager.fillAsync).toEqualTypeOf<
  (block: NativeMemory, offset: number, length: number, value: FillValue, options?: OperationOptions) => Promise<void>
>();
expectTypeOf(DirectMemoryManager.compareAsync).toEqualTypeOf<
  (a: Operand, aOffset: number, b: Operand, bOffset: number, length: number, options?: OperationOptions) => Promise<-1 | 0 | 1>
>();
expectTypeOf<{ onProgress: (doneBytes: number, totalBytes: number) => void }>().toExtend<OperationOptions>();
expectTypeOf(DirectMemoryManager.createDirectByteBuffer).toEqualTypeOf<(block: NativeMemory, offset?: number, length?: number) => Buffer>();
expectTypeOf(DirectMemoryManager.getDirectBufferAddress).toEqualTypeOf<(view: ArrayBufferView | ArrayBuffer) => bigint>();
expectTypeOf(DirectMemoryManager.getMemoryStats).toEqualTypeOf<() => MemoryStats>();
expectTypeOf(DirectMemoryManager.getAllocatedBlocks).toEqualTypeOf<() => BlockInfo[]>();
expectTypeOf(DirectMemoryManager.findPotentialLeaks).toEqualTypeOf<(maxAgeMs: number) => BlockInfo[]>();
expectTypeOf(DirectMemoryManager.setLimit).toEqualTypeOf<(bytes: number | null) => void>();
expectTypeOf(DirectMemoryManager.trim).toEqualTypeOf<() => number>();
// @ts-expect-error all members are static
void new DirectMemoryManager();
// @ts-expect-error a size is a number
DirectMemoryManager.allocateMemory('8');
// @ts-expect-error and no bigint
DirectMemoryManager.allocateMemory(8n);
// @ts-expect-error an alignment is of the list or a number
DirectMemoryManager.allocateMemory(8, 'WORD');
// @ts-expect-error options are typed
DirectMemoryManager.allocateMemory(8, 'word', { zeroed: 'yes' });
// @ts-expect-error and known
DirectMemoryManager.allocateMemory(8, 'word', { zeros: true });
// @ts-expect-error elements have 2, 4, 8 or 16 bytes
DirectMemoryManager.copyMemory(Buffer.alloc(1), 0, Buffer.alloc(1), 0, 1, 'swap-endian', 5);
// @ts-expect-error a mode is of the list
DirectMemoryManager.copyMemory(Buffer.alloc(1), 0, Buffer.alloc(1), 0, 1, 'fast');
// @ts-expect-error text is no memory
DirectMemoryManager.compareMemory('a', 0, Buffer.alloc(1), 0, 1);
// @ts-expect-error a Buffer is not ours to free
DirectMemoryManager.freeMemory(Buffer.alloc(1));

// === MemoryBlock ===

declare const block: MemoryBlock;
expectTypeOf(block).toExtend<NativeMemory>();
expectTypeOf(block).toExtend<Disposable>();
expectTypeOf(block.id).toEqualTypeOf<number>();
expectTypeOf(block.size).toEqualTypeOf<number>();
expectTypeOf(block.actualSize).toEqualTypeOf<number>();
expectTypeOf(block.address).toEqualTypeOf<bigint>();
expectTypeOf(block.alignment).toEqualTypeOf<Alignment>();
expectTypeOf(block.label).toEqualTypeOf<string | undefined>();
expectTypeOf(block.allocatedTimestamp).toEqualTypeOf<number>();
expectTypeOf(block.freed).toEqualTypeOf<boolean>();
expectTypeOf(block.freedTimestamp).toEqualTypeOf<number>();
expectTypeOf(block.isValid).toEqualTypeOf<() => boolean>();
expectTypeOf(block.getAgeMs).toEqualTypeOf<() => number>();
type Get<Value> = (offset: number, littleEndian?: boolean) => Value;
type Set<Value> = (offset: number, value: Value, littleEndian?: boolean) => void;
expectTypeOf(block.getInt8).toEqualTypeOf<(offset: number) => number>();
expectTypeOf(block.getUint8).toEqualTypeOf<(offset: number) => number>();
expectTypeOf<Pick<MemoryBlock, 'getInt16' | 'getUint16' | 'getInt32' | 'getUint32' | 'getFloat32' | 'getFloat64'>>().toEqualTypeOf<{
  getInt16: Get<number>;
  getUint16: Get<number>;
  getInt32: Get<number>;
  getUint32: Get<number>;
  getFloat32: Get<number>;
  getFloat64: Get<number>;
}>();
expectTypeOf(block.getBigInt64).toEqualTypeOf<Get<bigint>>();
expectTypeOf(block.getBigUint64).toEqualTypeOf<Get<bigint>>();
expectTypeOf(block.setInt8).toEqualTypeOf<(offset: number, value: number) => void>();
expectTypeOf(block.setUint8).toEqualTypeOf<(offset: number, value: number) => void>();
expectTypeOf<Pick<MemoryBlock, 'setInt16' | 'setUint16' | 'setInt32' | 'setUint32' | 'setFloat32' | 'setFloat64'>>().toEqualTypeOf<{
  setInt16: Set<number>;
  setUint16: Set<number>;
  setInt32: Set<number>;
  setUint32: Set<number>;
  setFloat32: Set<number>;
  setFloat64: Set<number>;
}>();
expectTypeOf(block.setBigInt64).toEqualTypeOf<Set<bigint>>();
expectTypeOf(block.setBigUint64).toEqualTypeOf<Set<bigint>>();
expectTypeOf(block.fill(1, 2, 3)).toEqualTypeOf<MemoryBlock>();
expectTypeOf<(value: FillValue, offset?: number, length?: number) => MemoryBlock>().toEqualTypeOf<(...args: Parameters<MemoryBlock['fill']>) => ReturnType<MemoryBlock['fill']>>();
expectTypeOf(block.copyTo).toEqualTypeOf<(target: Operand, targetOffset?: number, offset?: number, length?: number) => void>();
expectTypeOf(block.equals).toEqualTypeOf<(other: Operand) => boolean>();
expectTypeOf(block.bytes).toEqualTypeOf<(offset?: number, length?: number) => Uint8Array>();
expectTypeOf(block.view(Float64Array)).toEqualTypeOf<Float64Array>();
expectTypeOf(block.view(DataView, 8, 8)).toEqualTypeOf<DataView>();
expectTypeOf(block.view(BigUint64Array, 8)).toEqualTypeOf<BigUint64Array>();
expectTypeOf(block.copyOut).toEqualTypeOf<(offset?: number, length?: number) => Buffer>();
expectTypeOf(block.text).toEqualTypeOf<(offset?: number, length?: number, encoding?: BufferEncoding) => string>();
expectTypeOf(block.toArrayBuffer).toEqualTypeOf<() => ArrayBuffer>();
expectTypeOf(block.pin).toEqualTypeOf<() => Disposable>();
expectTypeOf(block.lease((bytes) => bytes.length)).toEqualTypeOf<Promise<number>>();
expectTypeOf(block.lease(async (bytes) => expectTypeOf(bytes).toEqualTypeOf<Uint8Array>())).resolves.not.toBeAny();
expectTypeOf(block.free).toEqualTypeOf<() => void>();
expectTypeOf(block[Symbol.dispose]).toEqualTypeOf<() => void>();
expectTypeOf(block.toString()).toEqualTypeOf<string>();
expectTypeOf(MemoryBlock.from).toEqualTypeOf<(bytes: BytesLike, alignment?: Alignment, options?: AllocateOptions) => MemoryBlock>();
expectTypeOf<BytesLike>().toEqualTypeOf<ArrayBufferView | ArrayBuffer>();
// @ts-expect-error memory is allocated, not constructed
void new MemoryBlock();
// @ts-expect-error getters only
block.size = 8;
// @ts-expect-error a bigint is due
block.setBigInt64(0, 1);
// @ts-expect-error a number is due
block.setInt32(0, 1n);
// @ts-expect-error an array is no view
block.view(Array);

// === Atomic words, of both kinds of memory: 'i32' takes and gives numbers, 'i64' bigints ===

expectTypeOf<AtomicType>().toEqualTypeOf<'i32' | 'i64'>();
expectTypeOf<AtomicNumbers>().toEqualTypeOf<{ i32: number; i64: bigint }>();
type Change = <Type extends AtomicType>(type: Type, offset: number, value: AtomicNumbers[Type]) => AtomicNumbers[Type];
type Atomics = Pick<MemoryBlock, 'atomicStore' | 'atomicAdd' | 'atomicAnd' | 'atomicOr' | 'atomicXor' | 'atomicExchange'>;
expectTypeOf<Atomics>().toEqualTypeOf<{ [name in keyof Atomics]: Change }>();
expectTypeOf<Pick<NativeMemory, keyof Atomics>>().toEqualTypeOf<Atomics>();
expectTypeOf(block.atomicLoad).toEqualTypeOf<<Type extends AtomicType>(type: Type, offset: number) => AtomicNumbers[Type]>();
expectTypeOf(block.atomicLoad('i32', 0)).toEqualTypeOf<number>();
expectTypeOf(block.atomicLoad('i64', 0)).toEqualTypeOf<bigint>();
expectTypeOf(block.atomicStore('i32', 0, 1)).toEqualTypeOf<number>();
expectTypeOf(block.atomicAdd('i64', 0, 1n)).toEqualTypeOf<bigint>();
expectTypeOf(block.atomicAnd('i32', 0, 1)).toEqualTypeOf<number>();
expectTypeOf(block.atomicOr('i64', 0, 1n)).toEqualTypeOf<bigint>();
expectTypeOf(block.atomicXor('i32', 0, 1)).toEqualTypeOf<number>();
expectTypeOf(block.atomicExchange('i64', 0, 1n)).toEqualTypeOf<bigint>();
expectTypeOf(block.atomicCompareExchange('i32', 0, 1, 2)).toEqualTypeOf<number>();
expectTypeOf(block.atomicCompareExchange('i64', 0, 1n, 2n)).toEqualTypeOf<bigint>();
expectTypeOf(block.waitAsync).toEqualTypeOf<(offset: number, expected: number | bigint, timeoutMs?: number) => Promise<'ok' | 'not-equal' | 'timed-out'>>();
expectTypeOf(block.notify).toEqualTypeOf<(offset: number, count?: number) => number>();
// @ts-expect-error no such word
block.atomicLoad('u32', 0);
// @ts-expect-error a type is due
block.atomicLoad(0);
// @ts-expect-error an offset is a number
block.atomicLoad('i64', 0n);
// @ts-expect-error a number is due
block.atomicAdd('i32', 0, 1n);
// @ts-expect-error a bigint is due
block.atomicStore('i64', 0, 1);
// @ts-expect-error a value is due
block.atomicXor('i32', 0);
// @ts-expect-error a bigint is due as what is expected
block.atomicCompareExchange('i64', 0, 1, 2n);
// @ts-expect-error and as what replaces it
block.atomicCompareExchange('i64', 0, 1n, 2);
// @ts-expect-error what replaces it is due
block.atomicCompareExchange('i32', 0, 1);
// @ts-expect-error a load of 8 bytes is no number
void (block.atomicLoad('i64', 0) satisfies number);
// @ts-expect-error what is expected is due
void block.waitAsync(0);
// @ts-expect-error milliseconds, not options
void block.waitAsync(0, 1, { timeoutMs: 1 });
// @ts-expect-error a count is a number
block.notify(0, 1n);

// === Allocators: what one method gives, a variable of the class's name and the next method take ===

const allocator: AdvancedMemoryAllocator = AdvancedMemoryAllocator.getInstance('types', 'slab', 65_536, 'cache-line', { overflow: 'error' });
const memory: AllocatedMemory = allocator.allocate(8, 'label');
const perhaps: AllocatedMemory | null = allocator.tryAllocate(8);
const owner: AdvancedMemoryAllocator = memory.allocator;
owner.free(memory);
expectTypeOf(perhaps).toEqualTypeOf<AllocatedMemory | null>();
expectTypeOf(memory).toExtend<NativeMemory>();
expectTypeOf(allocator.mark).toEqualTypeOf<() => ArenaMark>();
expectTypeOf(allocator.getStats).toEqualTypeOf<() => AllocatorStats>();
// @ts-expect-error no such way to cut
AdvancedMemoryAllocator.getInstance('types', 'heap', 65_536);
// @ts-expect-error memory is allocated, not constructed
void new AllocatedMemory();
// @ts-expect-error a block of DirectMemoryManager is not an allocator's
allocator.free(block);

// === Errors, statistics, rows ===

declare const error: OffHeapError;
expectTypeOf(OffHeapError.prototype).toExtend<Error>();
expectTypeOf(error.code).toExtend<`ERR_OFFHEAP_${string}`>();
expectTypeOf<'ERR_OFFHEAP_USE_AFTER_FREE' | 'ERR_OFFHEAP_DOUBLE_FREE' | 'ERR_OFFHEAP_OUT_OF_MEMORY' | 'ERR_OFFHEAP_LIMIT'>().toExtend<typeof error.code>();
expectTypeOf(error.requested).toEqualTypeOf<number | undefined>();
expectTypeOf(error.available).toEqualTypeOf<number | undefined>();

type Figures =
  | 'totalAllocated'
  | 'totalFreed'
  | 'currentAllocated'
  | 'peakAllocated'
  | 'activeBlocks'
  | 'nextBlockId'
  | 'averageBlockSize'
  | 'minBlockSize'
  | 'maxBlockSize'
  | 'committed'
  | 'quarantined'
  | 'escaped'
  | 'collected';
expectTypeOf<Omit<MemoryStats, 'byAllocator'>>().toEqualTypeOf<{ readonly [figure in Figures]: number }>();
expectTypeOf<MemoryStats['byAllocator']>().toEqualTypeOf<readonly AllocatorStats[]>();
expectTypeOf<keyof AllocatorStats>().toExtend<string>();
expectTypeOf<AllocatorStats['fragmentationPercent']>().toEqualTypeOf<{ readonly internal: number; readonly external: number }>();
expectTypeOf<PoolStats>().toEqualTypeOf<{ readonly [figure in 'blockSize' | 'available' | 'inUse' | 'maxSize' | 'waiters' | 'hits' | 'misses']: number }>();
expectTypeOf<BlockInfo>().toEqualTypeOf<{
  readonly id: number;
  readonly kind: 'block' | 'pool' | 'allocator';
  readonly owner: string;
  readonly size: number;
  readonly actualSize: number;
  readonly address: bigint;
  readonly alignment: Alignment;
  readonly label: string | undefined;
  readonly ageMs: number;
  readonly threadId: number;
  readonly pinned: boolean;
  readonly escaped: boolean;
  readonly site?: string;
}>();
declare const stats: MemoryStats;
// @ts-expect-error a snapshot is read-only
stats.activeBlocks = 0;
