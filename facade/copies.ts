/**
 * Copies: when npm installs the package twice, one isolate still has one set of classes. The first copy leaves itself on `globalThis`;
 * a later copy of the same major version hands out the first one's.
 * Room: copies (9). May use: everything below.
 */
import { AdvancedMemoryAllocator as AllocatorClass } from './allocators.js';
import { OffHeapError as ErrorClass } from './errors.js';
import { AllocatedMemory as AllocatedClass } from './handles/allocated.js';
import type { MemoryBlock as Block } from './handles/block.js';
import { BlockClass } from './handles/sealedblock.js';
import { DirectMemoryManager as ManagerClass } from './manager.js';
import { COPY_KEY, isSecondCopy } from './native.js';
import { MemoryPool as PoolClass } from './pool.js';
import type * as types from './types.js';

/** What the copies share. */
interface Shared {
  readonly AdvancedMemoryAllocator: typeof AllocatorClass;
  readonly AllocatedMemory: typeof AllocatedClass;
  readonly DirectMemoryManager: typeof ManagerClass;
  readonly MemoryBlock: typeof BlockClass;
  readonly MemoryPool: typeof PoolClass;
  readonly OffHeapError: typeof ErrorClass;
  /** Where the first copy lies. */
  readonly url: string;
}

/** `offheap.1`, `offheap.2`, …: one key for each major version. */
const KEY_TEXT = /^offheap\.(\d+)$/;

function share(): Shared {
  const first: unknown = (globalThis as { [COPY_KEY]?: unknown })[COPY_KEY];
  if (isShared(first)) return first;
  warnOfOthers();
  const own: Shared = Object.freeze({
    AdvancedMemoryAllocator: AllocatorClass,
    AllocatedMemory: AllocatedClass,
    DirectMemoryManager: ManagerClass,
    MemoryBlock: BlockClass,
    MemoryPool: PoolClass,
    OffHeapError: ErrorClass,
    url: import.meta.url,
  });
  if (!isSecondCopy) Object.defineProperty(globalThis, COPY_KEY, { value: own, enumerable: false, writable: false, configurable: false });
  return own;
}

function isShared(value: unknown): value is Shared {
  if (typeof value !== 'object' || value === null) return false;
  const { DirectMemoryManager: manager, MemoryBlock: block, OffHeapError: error } = value as Partial<Shared>;
  return typeof manager === 'function' && typeof block === 'function' && typeof error === 'function';
}

/** Another major version has its own tracker, limits and handles: worth knowing, once. */
function warnOfOthers(): void {
  for (const symbol of Object.getOwnPropertySymbols(globalThis)) {
    const text = Symbol.keyFor(symbol);
    if (text === undefined || !KEY_TEXT.test(text) || symbol === COPY_KEY) continue;
    const { url = 'an unknown place' } = (globalThis as unknown as { [key: symbol]: Partial<Shared> })[symbol] ?? {};
    process.emitWarning(`Two major versions of offheap run apart in this process: ${url} and ${import.meta.url}`, {
      type: 'OffHeapWarning',
      code: 'OFFHEAP_TWO_VERSIONS',
    });
  }
}

const shared = share();

// An allocator gives memory and memory tells its allocator: as types both are their interfaces, which know each other.
export const AdvancedMemoryAllocator: typeof AllocatorClass = shared.AdvancedMemoryAllocator;
/** The interface: what `memory.allocator` gives is declared with it, in a room that does not know the class. */
export type AdvancedMemoryAllocator = types.AdvancedMemoryAllocator;
export const AllocatedMemory: typeof AllocatedClass = shared.AllocatedMemory;
/** The interface, which `allocate()` gives. */
export type AllocatedMemory = types.AllocatedMemory;
export const DirectMemoryManager: typeof ManagerClass = shared.DirectMemoryManager;
export const MemoryBlock: typeof BlockClass = shared.MemoryBlock;
export type MemoryBlock = Block;
export const MemoryPool: typeof PoolClass = shared.MemoryPool;
export type MemoryPool = PoolClass;
export const OffHeapError: typeof ErrorClass = shared.OffHeapError;
export type OffHeapError = ErrorClass;
