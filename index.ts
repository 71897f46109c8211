export { AdvancedMemoryAllocator, AllocatedMemory, DirectMemoryManager, MemoryBlock, MemoryPool, OffHeapError } from './facade/copies.js';
export { AlignmentMode, AllocatorType, CopyMode } from './facade/types.js';
export type * from './facade/types.js';
