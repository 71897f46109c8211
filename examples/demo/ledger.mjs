// @ts-check
// The demo's own bookkeeping. Every block of every scene goes through here, so that at the end the library's
// statistics can be held against sums that the library did not make.
import { AdvancedMemoryAllocator, DirectMemoryManager, MemoryBlock } from 'offheap';

export class Ledger {
  /** Bytes since the start. */
  allocated = 0;
  freed = 0;
  peak = 0;
  /** @type {Set<MemoryBlock>} */
  live = new Set();
  /** @type {Set<AdvancedMemoryAllocator>} */
  regions = new Set();
  /** What the process had before the demo. */
  before = DirectMemoryManager.getMemoryStats();

  get current() {
    return this.allocated - this.freed;
  }

  /** @param {number} size */
  #entered(size) {
    this.allocated += size;
    this.peak = Math.max(this.peak, this.current);
  }

  /** @param {MemoryBlock} block */
  #keep(block) {
    this.#entered(block.size);
    this.live.add(block);
    return block;
  }

  /** @param {Parameters<typeof DirectMemoryManager.allocateMemory>} args */
  allocate(...args) {
    return this.#keep(DirectMemoryManager.allocateMemory(...args));
  }

  /** A copy of bytes off the heap. @param {Parameters<typeof MemoryBlock.from>} args */
  from(...args) {
    return this.#keep(MemoryBlock.from(...args));
  }

  /** The old bytes leave the books before the new ones enter: the two are never held together. @param {MemoryBlock} block @param {number} newSize */
  reallocate(block, newSize) {
    const moved = DirectMemoryManager.reallocateMemory(block, newSize);
    this.left(block);
    return this.#keep(moved);
  }

  /** @param {MemoryBlock} block */
  free(block) {
    DirectMemoryManager.freeMemory(block);
    this.left(block);
  }

  /** Books a block that came another way: from a pool. @param {MemoryBlock} block */
  keep(block) {
    return this.#keep(block);
  }

  /** Books holders of a shared block that were all there at once, and went elsewhere. @param {number} holders @param {number} size */
  sharedWith(holders, size) {
    this.#entered(size * holders);
    this.freed += size * holders;
  }

  /** @param {import('offheap').MemoryPool} pool @param {MemoryBlock} block */
  release(pool, block) {
    pool.release(block);
    this.left(block);
  }

  /** Books a block that went another way: its own `free()`, `using`. @param {MemoryBlock} block */
  left(block) {
    if (this.live.delete(block)) this.freed += block.size;
  }

  /** Books blocks that came and went one at a time, unseen. @param {number} count @param {number} size */
  passed(count, size) {
    if (count === 0) return;
    this.#entered(size);
    this.allocated += (count - 1) * size;
    this.freed += count * size;
  }

  /** A region to carve. Its grants are no blocks: the scene itself counts them. @param {Parameters<typeof AdvancedMemoryAllocator.getInstance>} args */
  open(...args) {
    const allocator = AdvancedMemoryAllocator.getInstance(...args);
    this.regions.add(allocator);
    return allocator;
  }

  /** @param {AdvancedMemoryAllocator} allocator */
  close(allocator) {
    allocator.close();
    this.regions.delete(allocator);
  }

  /** What a scene that broke off has left behind. */
  freeAll() {
    for (const block of this.live) {
      block[Symbol.dispose](); // also a pool's, and what ended behind the books
      this.left(block);
    }
    for (const allocator of this.regions) this.close(allocator);
  }
}
