// An ECMAScript module as a user would write it.
import { AlignmentMode, CopyMode, DirectMemoryManager, MemoryBlock, OffHeapError } from 'offheap';
import type { Alignment, BlockInfo, MemoryStats } from 'offheap';
import * as everything from 'offheap';

export function sum(bytes: Uint8Array, alignment: Alignment = AlignmentMode.CACHE_LINE): number {
  using block: MemoryBlock = MemoryBlock.from(bytes, alignment);
  using pin = block.pin();
  void pin;
  return block.view(Uint8Array).reduce((total, byte) => total + byte, 0);
}

export function swapped(size: number): Buffer {
  const block = DirectMemoryManager.allocateMemory(size, 'page', { zeroed: true, label: 'swapped' });
  try {
    DirectMemoryManager.copyMemory(block, 0, block, 0, size, CopyMode.SWAP_ENDIAN, 4);
    return block.copyOut();
  } catch (error) {
    if (error instanceof OffHeapError && error.code === 'ERR_OFFHEAP_OUT_OF_MEMORY') return Buffer.alloc(error.available ?? 0);
    throw error;
  } finally {
    block[Symbol.dispose]();
  }
}

export async function report(): Promise<string> {
  const stats: MemoryStats = DirectMemoryManager.getMemoryStats();
  const leaks: readonly BlockInfo[] = DirectMemoryManager.findPotentialLeaks(60_000);
  const block = everything.DirectMemoryManager.allocateMemory(8);
  const length: number = await block.lease(async (bytes) => bytes.length);
  block.free();
  return `${stats} ${leaks.map((leak) => leak.label ?? leak.id).join()} ${length}`;
}
