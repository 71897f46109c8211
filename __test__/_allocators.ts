// What the specs of allocators share: the six types, allocators with names of their own, and what a refusal must look like.
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { AdvancedMemoryAllocator, DirectMemoryManager as Manager, OffHeapError } from '../index.js';
import type { Alignment, AllocatorOptions, AllocatorType } from '../index.js';
import { binding } from '../facade/native.js';
import { freeEverything } from './_settled.js';

export const KIB = 1024;
export const MIB = 2 ** 20;
export const GIB = 2 ** 30;
export const TYPES: readonly AllocatorType[] = ['buddy', 'slab', 'arena', 'ring', 'pool', 'hybrid'];
/** All but the arena, whose space does not come back with a free. */
export const FREEING: readonly AllocatorType[] = TYPES.filter((type) => type !== 'arena');

/** Begins the names of allocators that nobody can close: their buffer is marked as untransferable. */
export const MARKED = 'marked';

/** The class and the code that the contract gives to a refusal. */
export function refuses(t: ExecutionContext, act: () => unknown, code: string, about?: string): OffHeapError {
  const instanceOf = code.startsWith('ERR_OFFHEAP_') ? OffHeapError : code === 'ERR_OUT_OF_RANGE' ? RangeError : TypeError;
  const error = t.throws(act, { instanceOf, code }, about) as OffHeapError;
  if (error !== undefined) t.true(error.message.length > 20, about);
  return error;
}

let count = 0;
const opened: AdvancedMemoryAllocator[] = [];

/** An allocator under a name that nobody else has; closed after the test. */
export function open(type: AllocatorType, totalSize: number = MIB, alignment?: Alignment, options?: AllocatorOptions): AdvancedMemoryAllocator {
  count += 1;
  return keep(AdvancedMemoryAllocator.getInstance(`${type} ${count}`, type, totalSize, alignment, options));
}

/** To be closed after the test. */
export function keep(allocator: AdvancedMemoryAllocator): AdvancedMemoryAllocator {
  opened.push(allocator);
  return allocator;
}

/** Number and life of every open allocator of the process. */
export function openIds(): { number: number; life: number }[] {
  const numbers = [...binding.allocatorList()];
  return Array.from({ length: numbers.length / 6 }, (_, index) => ({ number: numbers[6 * index] as number, life: numbers[6 * index + 1] as number }));
}

/** What does not hold in the structures of the open allocators. */
function wrong(): string[] {
  return openIds().flatMap(({ number, life }) => binding.allocatorCheck(number, life) ?? []);
}

/** After each test: structures are in order, everything closes, nothing is charged, no row is left. */
export function closeAfterEach(): void {
  test.afterEach.always('nothing stays', async (t) => {
    t.deepEqual(wrong(), []);
    t.is(await freeEverything(), 0);
    for (const allocator of opened.splice(0)) allocator.close();
    const names = Manager.getMemoryStats().byAllocator.map(({ name }) => name);
    t.deepEqual(names.filter((name) => !name.startsWith(MARKED)), []);
    t.deepEqual(Manager.getAllocatedBlocks().filter(({ owner }) => !owner.startsWith(MARKED)), []);
  });
}
