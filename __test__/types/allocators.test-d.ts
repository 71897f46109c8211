// The declarations of AdvancedMemoryAllocator and AllocatedMemory are those of the public contract. What is wrong must not compile.
import { expectTypeOf } from 'expect-type';
import { AdvancedMemoryAllocator, AllocatedMemory, AllocatorType, DirectMemoryManager } from 'offheap';
import type { Alignment, AllocatorOptions, AllocatorStats, ArenaMark, NativeMemory } from 'offheap';

type Operand = NativeMemory | ArrayBufferView | ArrayBuffer;

// === AdvancedMemoryAllocator ===

expectTypeOf(AdvancedMemoryAllocator.getInstance).toEqualTypeOf<
  (name: string, type: AllocatorType, totalSize: number, alignment?: Alignment, options?: AllocatorOptions) => AdvancedMemoryAllocator
>();
const allocator: AdvancedMemoryAllocator = AdvancedMemoryAllocator.getInstance('buddy', AllocatorType.BUDDY_SYSTEM, 64 * 1024 * 1024);
expectTypeOf(AdvancedMemoryAllocator.getInstance).toBeCallableWith('ring', 'ring', 4096, 'page', { overflow: 'overwrite-oldest' });
expectTypeOf(allocator).toExtend<Disposable>();
expectTypeOf(allocator.name).toEqualTypeOf<string>();
expectTypeOf(allocator.type).toEqualTypeOf<AllocatorType>();
expectTypeOf(allocator.totalSize).toEqualTypeOf<number>();
expectTypeOf(allocator.alignment).toEqualTypeOf<Alignment>();
expectTypeOf(allocator.allocate).toEqualTypeOf<(size: number, label?: string) => AllocatedMemory>();
expectTypeOf(allocator.tryAllocate).toEqualTypeOf<(size: number) => AllocatedMemory | null>();
expectTypeOf(allocator.free).toEqualTypeOf<(memory: AllocatedMemory) => void>();
expectTypeOf(allocator.reset).toEqualTypeOf<() => void>();
expectTypeOf(allocator.close).toEqualTypeOf<() => void>();
expectTypeOf(allocator.trim).toEqualTypeOf<() => number>();
expectTypeOf(allocator.getStats).toEqualTypeOf<() => AllocatorStats>();
expectTypeOf(allocator.mark).toEqualTypeOf<() => ArenaMark>();
expectTypeOf(allocator.rewind).toEqualTypeOf<(mark: ArenaMark) => void>();
expectTypeOf(allocator[Symbol.dispose]()).toEqualTypeOf<void>();
expectTypeOf(allocator.toString()).toEqualTypeOf<string>();
expectTypeOf<AllocatorOptions>().toEqualTypeOf<{ readonly overflow?: 'error' | 'overwrite-oldest' | undefined }>();
// @ts-expect-error an allocator is got, not constructed
void new AdvancedMemoryAllocator('x', 'slab', 4096);
// @ts-expect-error a type is of the list
AdvancedMemoryAllocator.getInstance('x', 'SLAB_ALLOCATOR', 4096);
// @ts-expect-error a size is a number
AdvancedMemoryAllocator.getInstance('x', 'slab', 4096n);
// @ts-expect-error an overflow is of the list
AdvancedMemoryAllocator.getInstance('x', 'ring', 4096, 8, { overflow: 'drop' });
// @ts-expect-error options are known
AdvancedMemoryAllocator.getInstance('x', 'ring', 4096, 8, { overwrite: true });
// @ts-expect-error getters only
allocator.totalSize = 8;
// @ts-expect-error a mark is no number
allocator.rewind(0);

// === AllocatedMemory: what one returns the other takes, and each knows the other ===

const memory: AllocatedMemory = allocator.allocate(4096, 'label');
const owner: AdvancedMemoryAllocator = memory.allocator;
owner.free(memory);
expectTypeOf(memory).toExtend<NativeMemory>();
expectTypeOf(memory).toExtend<Disposable>();
expectTypeOf<Pick<AllocatedMemory, 'id' | 'size' | 'offset' | 'allocatedSize' | 'requestedSize'>>().toEqualTypeOf<{
  readonly id: number;
  readonly size: number;
  readonly offset: number;
  readonly allocatedSize: number;
  readonly requestedSize: number;
}>();
expectTypeOf(memory.address).toEqualTypeOf<bigint>();
expectTypeOf(memory.label).toEqualTypeOf<string | undefined>();
expectTypeOf(memory.isValid).toEqualTypeOf<() => boolean>();
expectTypeOf(memory.fill(1, 2, 3)).toEqualTypeOf<AllocatedMemory>();
expectTypeOf(memory.getBigInt64).toEqualTypeOf<(offset: number, littleEndian?: boolean) => bigint>();
expectTypeOf(memory.setFloat32).toEqualTypeOf<(offset: number, value: number, littleEndian?: boolean) => void>();
expectTypeOf(memory.copyTo).toEqualTypeOf<(target: Operand, targetOffset?: number, offset?: number, length?: number) => void>();
expectTypeOf(memory.equals).toEqualTypeOf<(other: Operand) => boolean>();
expectTypeOf(memory.bytes).toEqualTypeOf<(offset?: number, length?: number) => Uint8Array>();
expectTypeOf(memory.view(Float64Array)).toEqualTypeOf<Float64Array>();
expectTypeOf(memory.view(DataView, 8, 8)).toEqualTypeOf<DataView>();
expectTypeOf(memory.copyOut).toEqualTypeOf<(offset?: number, length?: number) => Buffer>();
expectTypeOf(memory.text).toEqualTypeOf<(offset?: number, length?: number, encoding?: BufferEncoding) => string>();
expectTypeOf(memory.pin).toEqualTypeOf<() => Disposable>();
expectTypeOf(memory.lease(async (bytes) => bytes.length)).toEqualTypeOf<Promise<number>>();
expectTypeOf(memory.free).toEqualTypeOf<() => void>();
expectTypeOf(DirectMemoryManager.setMemory).toBeCallableWith(memory, 0, 1, 255);
expectTypeOf(DirectMemoryManager.zeroMemory).toBeCallableWith(memory);
expectTypeOf(DirectMemoryManager.copyMemory).toBeCallableWith(memory, 0, Buffer.alloc(1), 0, 1);
expectTypeOf(DirectMemoryManager.createDirectByteBuffer).toBeCallableWith(memory, 0, 1);
declare const anything: unknown;
if (anything instanceof AllocatedMemory) allocator.free(anything);
if (anything instanceof AdvancedMemoryAllocator) anything.reset();
// @ts-expect-error memory is allocated, not constructed
void new AllocatedMemory();
// @ts-expect-error getters only
memory.size = 8;
// @ts-expect-error a block's own
memory.toArrayBuffer();
// @ts-expect-error its allocator frees it
DirectMemoryManager.freeMemory(memory);
// @ts-expect-error bytes are no memory of an allocator
allocator.free(Buffer.alloc(8));
expectTypeOf(memory.atomicLoad('i32', 0)).toEqualTypeOf<number>();
expectTypeOf(memory.atomicLoad('i64', 0)).toEqualTypeOf<bigint>();
expectTypeOf(memory.atomicStore('i64', 0, 1n)).toEqualTypeOf<bigint>();
expectTypeOf(memory.atomicAdd('i32', 0, 1)).toEqualTypeOf<number>();
expectTypeOf(memory.atomicAnd('i64', 0, 1n)).toEqualTypeOf<bigint>();
expectTypeOf(memory.atomicOr('i32', 0, 1)).toEqualTypeOf<number>();
expectTypeOf(memory.atomicXor('i64', 0, 1n)).toEqualTypeOf<bigint>();
expectTypeOf(memory.atomicExchange('i32', 0, 1)).toEqualTypeOf<number>();
expectTypeOf(memory.atomicCompareExchange('i64', 0, 1n, 2n)).toEqualTypeOf<bigint>();
expectTypeOf(memory.waitAsync).toEqualTypeOf<NativeMemory['waitAsync']>();
expectTypeOf(memory.notify).toEqualTypeOf<(offset: number, count?: number) => number>();
// @ts-expect-error a bigint is due
memory.atomicAdd('i64', 0, 1);
// @ts-expect-error a number is due
memory.atomicCompareExchange('i32', 0, 1, 2n);
// @ts-expect-error no such word
memory.atomicLoad('f64', 0);
// @ts-expect-error what is expected is no text
void memory.waitAsync(0, '1');
