export { AdvancedMemoryAllocator, AllocatedMemory, DirectMemoryManager, MemoryBlock, OffHeapError } from './facade/copies.js';
export { AlignmentMode, AllocatorType, CopyMode } from './facade/types.js';
export type * from './facade/types.js';
