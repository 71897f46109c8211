// The declarations of MemoryPool are those of the public contract. What is wrong must not compile.
import { expectTypeOf } from 'expect-type';
import { AlignmentMode, MemoryPool } from 'offheap';
import type { AcquireOptions, MemoryBlock, PoolOptions, PoolStats } from 'offheap';

const pool: MemoryPool = new MemoryPool(1024, AlignmentMode.CACHE_LINE, 50);
expectTypeOf(MemoryPool).toBeConstructibleWith(1024, 64, 10, { zeroOnRelease: false, zeroed: true, limit: 4, label: 'frames' });
expectTypeOf(pool).toExtend<Disposable>();
expectTypeOf(pool.acquire).toEqualTypeOf<() => MemoryBlock>();
expectTypeOf(pool.acquireAsync).toEqualTypeOf<(options?: AcquireOptions) => Promise<MemoryBlock>>();
expectTypeOf(pool.release).toEqualTypeOf<(block: MemoryBlock) => void>();
expectTypeOf(pool.clear).toEqualTypeOf<() => void>();
expectTypeOf(pool.close).toEqualTypeOf<() => void>();
expectTypeOf(pool.getStats).toEqualTypeOf<() => PoolStats>();
expectTypeOf(pool[Symbol.dispose]()).toEqualTypeOf<void>();
expectTypeOf<PoolStats>().toEqualTypeOf<{
  readonly blockSize: number;
  readonly available: number;
  readonly inUse: number;
  readonly maxSize: number;
  readonly waiters: number;
  readonly hits: number;
  readonly misses: number;
}>();
expectTypeOf<PoolOptions>().toEqualTypeOf<{
  readonly zeroOnRelease?: boolean | undefined;
  readonly zeroed?: boolean | undefined;
  readonly limit?: number | undefined;
  readonly label?: string | undefined;
}>();
// @ts-expect-error a size is a number
void new MemoryPool('1024');
// @ts-expect-error options are known
void new MemoryPool(8, 8, 1, { size: 5 });
// @ts-expect-error a Buffer is no block
pool.release(Buffer.alloc(8));
// @ts-expect-error a time-out is a number
void pool.acquireAsync({ timeoutMs: '5' });
