// A CommonJS program as a user would write it.
import offheap = require('offheap');
import type { MemoryBlock } from 'offheap' with { 'resolution-mode': 'import' };

const { AlignmentMode, DirectMemoryManager, OffHeapError } = offheap;

function copy(bytes: Buffer): Buffer {
  using block: MemoryBlock = offheap.MemoryBlock.from(bytes, AlignmentMode.PAGE_ALIGNED);
  return block.copyOut();
}

function tryAllocate(size: number): offheap.MemoryBlock | undefined {
  try {
    return DirectMemoryManager.allocateMemory(size);
  } catch (error) {
    if (error instanceof OffHeapError) return undefined;
    throw error;
  }
}

export = { copy, tryAllocate };
