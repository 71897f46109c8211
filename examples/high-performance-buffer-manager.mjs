// @ts-check
// Buffers off the heap for a program that needs them again and again: the common size from a pool, others one by one, short-lived scratch
// memory from a hybrid allocator. `node examples/high-performance-buffer-manager.mjs [file]` counts the lines of a file with it.
import { AdvancedMemoryAllocator, AlignmentMode, AllocatorType, DirectMemoryManager, MemoryPool } from 'offheap';
import { closeSync, openSync, readSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const POOLED_SIZE = 8192;
const LINE_FEED = 10;

export class HighPerformanceBufferManager {
  #allocator;
  #pool;
  /** Which block a Buffer shows. Weak: of a Buffer that somebody drops, block and memory are collected too.
   * @type {WeakMap<Buffer, import('offheap').MemoryBlock>} */
  #blocks = new WeakMap();

  constructor() {
    // Use hybrid allocator for mixed workload
    this.#allocator = AdvancedMemoryAllocator.getInstance('hpbm', AllocatorType.HYBRID, 256 * 1024 * 1024);

    // Pool for common buffer sizes
    this.#pool = new MemoryPool(POOLED_SIZE, AlignmentMode.CACHE_LINE, 100, { label: 'buffers' });
  }

  /** @param {number} size */
  acquireBuffer(size) {
    const block = size === POOLED_SIZE ? this.#pool.acquire() : DirectMemoryManager.allocateMemory(size, AlignmentMode.CACHE_LINE);
    const buffer = DirectMemoryManager.createDirectByteBuffer(block);
    this.#blocks.set(buffer, block);
    return buffer;
  }

  /** Ends a Buffer, whose length is 0 then. @param {Buffer} buffer one of {@link acquireBuffer} */
  releaseBuffer(buffer) {
    const block = this.#blocks.get(buffer);
    if (block === undefined) throw new TypeError('not a Buffer of this manager, or released before');
    block.free(); // to its pool, if it has one
    this.#blocks.delete(buffer);
  }

  /** Memory for one piece of work, all of which ends with {@link endWork}. @param {number} size */
  scratch(size) {
    return this.#allocator.allocate(size);
  }

  endWork() {
    this.#allocator.reset();
  }

  getStats() {
    return { pool: this.#pool.getStats(), scratch: this.#allocator.getStats() };
  }

  close() {
    this.#pool.close();
    this.#allocator.close();
  }
}

/** Counts the lines of a file, as `wc -l` does. @param {string} path @param {HighPerformanceBufferManager} buffers */
export function countLines(path, buffers) {
  const file = openSync(path, 'r');
  const total = buffers.scratch(8); // a count that no heap object holds
  total.setFloat64(0, 0);
  try {
    for (;;) {
      const buffer = buffers.acquireBuffer(POOLED_SIZE);
      try {
        const length = readSync(file, buffer);
        if (length === 0) return total.getFloat64(0);
        let lines = 0;
        for (let at = buffer.indexOf(LINE_FEED); at >= 0 && at < length; at = buffer.indexOf(LINE_FEED, at + 1)) lines += 1;
        total.setFloat64(0, total.getFloat64(0) + lines);
      } finally {
        buffers.releaseBuffer(buffer);
      }
    }
  } finally {
    closeSync(file);
    buffers.endWork();
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const path = process.argv[2] ?? fileURLToPath(import.meta.url);
  const buffers = new HighPerformanceBufferManager();
  console.log(`${path}: ${countLines(path, buffers)} lines`);
  console.log(`${buffers.getStats().pool}`);
  buffers.close();
}
