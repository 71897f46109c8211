// The README of the Java original, snippet by snippet, in TypeScript, each test named after its heading; then the original's own bugs.
// Properties:
// - what the README shows for DirectMemoryManager and MemoryBlock works as it is written there, with the names it has there
// - a reallocation keeps alignment and contents; offset + length cannot overflow; createDirectByteBuffer shares its memory
// - NON_TEMPORAL arrives as such at the native side; SWAP_ENDIAN knows 2, 4, 8 and 16 bytes; compare is no byte loop in JavaScript
// - page and cache-line sizes are asked of the system
import { execFileSync } from 'node:child_process';
import test from 'ava';
import { AlignmentMode, CopyMode, DirectMemoryManager, MemoryBlock, OffHeapError } from '../index.js';
import type { BlockInfo, ElementSize, MemoryStats } from '../index.js';
import { binding } from '../facade/native.js';
import { freeEverything } from './_settled.js';

/** What the snippets print. */
let printed: string[] = [];
const println = (text: string): void => void printed.push(text);

test.beforeEach(() => {
  printed = [];
});

test.afterEach.always('nothing stays', async (t) => {
  t.is(await freeEverything(), 0);
});

test.serial('Memory Allocation with Alignment', (t) => {
  // Basic allocation
  const block: MemoryBlock = DirectMemoryManager.allocateMemory(1024 * 1024); // 1MB

  // Aligned allocation
  const aligned: MemoryBlock = DirectMemoryManager.allocateMemory(4096, AlignmentMode.PAGE_ALIGNED);

  // Reallocation
  const expanded: MemoryBlock = DirectMemoryManager.reallocateMemory(block, 2 * 1024 * 1024);

  t.is(aligned.address % BigInt(DirectMemoryManager.PAGE_SIZE), 0n);
  t.deepEqual([block.freed, expanded.size, expanded.freed], [true, 2 * 1024 * 1024, false]);
});

test.serial('Memory Operations', (t) => {
  const block = DirectMemoryManager.allocateMemory(4096);
  const source = MemoryBlock.from(Uint8Array.from({ length: 1024 }, (_, index) => index));
  const dest = DirectMemoryManager.allocateMemory(1024);
  const [block1, block2] = [source, dest];

  // Fill memory
  DirectMemoryManager.setMemory(block, 0, block.size, 0xff);
  t.deepEqual(block.copyOut(), Buffer.alloc(4096, 0xff));
  DirectMemoryManager.zeroMemory(block); // Shortcut for zero-fill
  t.deepEqual(block.copyOut(), Buffer.alloc(4096));

  // Copy memory
  DirectMemoryManager.copyMemory(source, 0, dest, 0, 1024, CopyMode.NORMAL);
  t.true(dest.equals(source));
  DirectMemoryManager.copyMemory(source, 0, dest, 0, 1024, CopyMode.SWAP_ENDIAN);
  t.deepEqual(dest.copyOut(), source.copyOut().swap64());

  // Compare memory
  const result: number = DirectMemoryManager.compareMemory(block1, 0, block2, 0, 1024);
  t.is(result, -1);
});

test.serial('Memory Statistics and Leak Detection', (t) => {
  const block = DirectMemoryManager.allocateMemory(1000, 'word', { label: 'forgotten' });

  // Get memory statistics
  const stats: MemoryStats = DirectMemoryManager.getMemoryStats();
  println('Memory usage: ' + stats);

  // Find potential leaks
  const leaks: BlockInfo[] = DirectMemoryManager.findPotentialLeaks(60000); // 1 minute
  for (const leak of leaks) {
    println('Potential leak: ' + leak);
  }
  t.is(leaks.length, 0, 'nothing is that old');
  for (const leak of DirectMemoryManager.findPotentialLeaks(0)) {
    println('Potential leak: ' + leak);
  }

  // Get all allocated blocks
  const allBlocks: BlockInfo[] = DirectMemoryManager.getAllocatedBlocks();
  t.deepEqual(allBlocks.map(({ id }) => id), [block.id]);
  t.regex(printed[0] as string, /^Memory usage: MemoryStats\[.*activeBlocks=1/);
  t.regex(printed[1] as string, /^Potential leak: BlockInfo\[.*size=1000 B.*label='forgotten'/);
});

test.serial('DirectByteBuffer Integration', (t) => {
  // Create DirectByteBuffer from allocated memory
  const block: MemoryBlock = DirectMemoryManager.allocateMemory(8192);
  const buffer: Buffer = DirectMemoryManager.createDirectByteBuffer(block);
  t.is(buffer.length, 8192);
  t.is(DirectMemoryManager.getDirectBufferAddress(buffer), block.address);

  // Extract address from existing DirectByteBuffer
  const directBuffer: Buffer = Buffer.allocUnsafeSlow(1024);
  const address: bigint = DirectMemoryManager.getDirectBufferAddress(directBuffer);
  t.true(address > 0n);
});

test.serial('Alignment Modes', (t) => {
  const sizes = { NONE: 1, WORD_ALIGNED: DirectMemoryManager.WORD_SIZE, CACHE_LINE: DirectMemoryManager.CACHE_LINE_SIZE, PAGE_ALIGNED: DirectMemoryManager.PAGE_SIZE };
  t.deepEqual(Object.keys(AlignmentMode), Object.keys(sizes));
  for (const [name, mode] of Object.entries(AlignmentMode)) {
    const block = DirectMemoryManager.allocateMemory(100, mode);
    t.is(block.alignment, mode);
    t.is(block.address % BigInt(sizes[name as keyof typeof sizes]), 0n);
  }
});

test.serial('Memory Safety', (t) => {
  const block = DirectMemoryManager.allocateMemory(1024).fill(1);

  // Always check validity before access
  if (block.isValid()) {
    // Safe to use block
    DirectMemoryManager.setMemory(block, 0, 1024, 0);
  }
  t.deepEqual(block.copyOut(), Buffer.alloc(1024));

  // Bounds checking is automatic
  try {
    DirectMemoryManager.setMemory(block, 0, block.size + 1, 0); // Throws exception
    t.fail();
  } catch (e) {
    println('Access beyond bounds: ' + (e as Error).message);
    t.true(e instanceof RangeError);
  }
  t.regex(printed[0] as string, /^Access beyond bounds: The value of "length" is out of range\. It must be .*Received 1025$/);
});

test.serial('Resource Management', (t) => {
  // Always free allocated memory
  const block: MemoryBlock = DirectMemoryManager.allocateMemory(1024);
  try {
    block.fill(7); // Use block...
  } finally {
    DirectMemoryManager.freeMemory(block);
  }
  t.true(block.freed);
  t.is(DirectMemoryManager.getMemoryStats().activeBlocks, 0);

  for (let count = 0; count < 3; count += 1) DirectMemoryManager.allocateMemory(10);
  // Or use emergency cleanup (use sparingly)
  const freedBlocks: number = DirectMemoryManager.freeAllMemory();
  t.is(freedBlocks, 3);
});

test.serial('Error Handling', (t) => {
  // Handle allocation failures
  try {
    const huge: MemoryBlock = DirectMemoryManager.allocateMemory(Number.MAX_SAFE_INTEGER);
    t.fail(String(huge));
  } catch (e) {
    println('Allocation failed: ' + (e as Error).message);
    t.is((e as OffHeapError).code, 'ERR_OFFHEAP_OUT_OF_MEMORY');
  }

  // Handle access to freed memory
  const block: MemoryBlock = DirectMemoryManager.allocateMemory(1024);
  DirectMemoryManager.freeMemory(block);
  try {
    DirectMemoryManager.setMemory(block, 0, 1024, 0); // Throws exception
    t.fail();
  } catch (e) {
    println('Access to freed memory: ' + (e as Error).message);
    t.true(e instanceof OffHeapError);
    t.is((e as OffHeapError).code, 'ERR_OFFHEAP_USE_AFTER_FREE');
  }
  t.regex(printed[0] as string, /^Allocation failed: .*9,007,199,254,740,991 bytes/);
  t.regex(printed[1] as string, new RegExp(`^Access to freed memory: MemoryBlock ${block.id} .*freed`));
});

test.serial('JVM Flags for Optimal Performance: the limit of direct memory', (t) => {
  DirectMemoryManager.setLimit(8 * 2 ** 30); // -XX:MaxDirectMemorySize=8g
  t.throws(() => DirectMemoryManager.allocateMemory(9 * 2 ** 30), { instanceOf: OffHeapError, code: 'ERR_OFFHEAP_LIMIT' });
  DirectMemoryManager.setLimit(null);
});

class ZeroCopyProcessor {
  readonly processingBuffer: MemoryBlock;

  constructor(bufferSize: number) {
    // Allocate large aligned buffer for zero-copy operations
    this.processingBuffer = DirectMemoryManager.allocateMemory(bufferSize, AlignmentMode.PAGE_ALIGNED);
  }

  processData(inputData: MemoryBlock): number {
    // Direct memory operations without copying to heap
    DirectMemoryManager.copyMemory(inputData, 0, this.processingBuffer, 0, inputData.size, CopyMode.NORMAL);

    // Process data in-place...
    const sum = this.processingBuffer.bytes(0, inputData.size).reduce((total, byte) => total + byte, 0);

    // Zero the buffer for security
    DirectMemoryManager.zeroMemory(this.processingBuffer);
    return sum;
  }

  cleanup(): void {
    DirectMemoryManager.freeMemory(this.processingBuffer);
  }
}

test.serial('Zero-Copy Data Processing', (t) => {
  const processor = new ZeroCopyProcessor(1024 * 1024);
  t.is(processor.processData(MemoryBlock.from(Buffer.alloc(1000, 3))), 3000);
  t.is(DirectMemoryManager.mismatch(processor.processingBuffer, 0, Buffer.alloc(1024 * 1024), 0, 1024 * 1024), -1);
  processor.cleanup();
  t.true(processor.processingBuffer.freed);
});

test.serial('bug of the original: reallocateMemory lost the alignment and shifted the data', (t) => {
  for (const alignment of [AlignmentMode.PAGE_ALIGNED, AlignmentMode.CACHE_LINE, 65_536]) {
    const bytes = typeof alignment === 'number' ? alignment : alignment === 'page' ? DirectMemoryManager.PAGE_SIZE : DirectMemoryManager.CACHE_LINE_SIZE;
    const contents = Buffer.alloc(3000, 'shifted?');
    let block = MemoryBlock.from(contents, alignment);
    for (const size of [3001, 6000, 100_000, 3000, 5_000_000, 3000]) {
      block = DirectMemoryManager.reallocateMemory(block, size);
      t.is(block.address % BigInt(bytes), 0n);
      t.is(block.alignment, alignment);
      t.is(DirectMemoryManager.mismatch(block, 0, contents, 0, 3000), -1);
    }
  }
});

test.serial('bug of the original: offset + length overflowed', (t) => {
  const block = DirectMemoryManager.allocateMemory(64).fill(1);
  const other = Buffer.alloc(64, 2);
  const { MAX_SAFE_INTEGER: max } = Number;
  for (const [offset, length] of [[1, max], [max, 1], [max, max], [2 ** 32, 2 ** 32], [2 ** 31 - 1, 1], [63, 2 ** 32 - 62]] as const) {
    for (const act of [
      () => DirectMemoryManager.setMemory(block, offset, length, 0),
      () => DirectMemoryManager.copyMemory(block, offset, other, 0, length),
      () => DirectMemoryManager.copyMemory(other, 0, block, offset, length),
      () => DirectMemoryManager.compareMemory(block, offset, other, 0, length),
      () => block.bytes(offset, length),
      () => block.fill(0, offset, length),
    ]) {
      t.throws(act, { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' });
    }
  }
  t.deepEqual([block.copyOut(), other], [Buffer.alloc(64, 1), Buffer.alloc(64, 2)]);
});

test.serial('bug of the original: createDirectByteBuffer shared no memory', (t) => {
  const block = DirectMemoryManager.allocateMemory(64, 'word', { zeroed: true });
  const buffer = DirectMemoryManager.createDirectByteBuffer(block);
  buffer.writeInt32BE(0x01020304, 8);
  t.is(block.getInt32(8, false), 0x01020304);
  DirectMemoryManager.setMemory(block, 60, 4, 0xee);
  t.is(buffer.readUInt32LE(60), 0xeeeeeeee);
});

test.serial('bug of the original: NON_TEMPORAL fell back to an ordinary copy', (t) => {
  const size = 2 ** 21; // what is shorter JavaScript copies to a Buffer by itself, unless a mode is asked for
  const [source, target] = [MemoryBlock.from(Buffer.alloc(size, 5)), Buffer.alloc(size)];
  const { copy } = binding;
  const modes: number[] = [];
  binding.copy = (...args) => {
    modes.push(args[7]);
    copy(...args);
  };
  try {
    DirectMemoryManager.copyMemory(source, 0, target, 0, size, CopyMode.NON_TEMPORAL);
    DirectMemoryManager.copyMemory(source, 0, target, 0, size, CopyMode.NORMAL);
    t.true(source.equals(target));
  } finally {
    binding.copy = copy;
  }
  t.deepEqual(modes, [1, 0], 'as crates/offheap-node/src/hot.rs numbers them');
});

test.serial('bug of the original: SWAP_ENDIAN knew elements of 8 bytes only', (t) => {
  const bytes = Uint8Array.from({ length: 32 }, (_, index) => index);
  const swapped = (size: ElementSize): Buffer => {
    const target = Buffer.alloc(32);
    DirectMemoryManager.copyMemory(bytes, 0, target, 0, 32, CopyMode.SWAP_ENDIAN, size);
    return target;
  };
  t.deepEqual(swapped(2), Buffer.from(bytes).swap16());
  t.deepEqual(swapped(4), Buffer.from(bytes).swap32());
  t.deepEqual(swapped(8), Buffer.from(bytes).swap64());
  t.deepEqual([...swapped(16).subarray(0, 16)], [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  t.throws(() => DirectMemoryManager.copyMemory(bytes, 0, Buffer.alloc(32), 0, 12, CopyMode.SWAP_ENDIAN), { code: 'ERR_INVALID_ARG_VALUE' });
});

test.serial('bug of the original: page and cache-line sizes were constants', (t) => {
  if (process.platform === 'win32') t.true(DirectMemoryManager.PAGE_SIZE >= 4096);
  else t.is(DirectMemoryManager.PAGE_SIZE, Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' })));
  const { pageSize, cacheLineSize } = binding.systemInfo();
  t.deepEqual([DirectMemoryManager.PAGE_SIZE, DirectMemoryManager.CACHE_LINE_SIZE], [pageSize, cacheLineSize]);
});

test.serial('bug of the original: compare ran at 0.07 GB/s, and signed', (t) => {
  const length = 64 * 2 ** 20;
  const [a, b] = [DirectMemoryManager.allocateMemory(length).fill(1), DirectMemoryManager.allocateMemory(length).fill(1)];
  let best = Infinity;
  for (let round = 0; round < 5; round += 1) {
    const started = performance.now();
    t.is(DirectMemoryManager.compareMemory(a, 0, b, 0, length), 0);
    best = Math.min(best, performance.now() - started);
  }
  t.true(length / best / 1e6 > 0.7, `${(length / best / 1e6).toFixed(2)} GB/s`);
  b.setUint8(length - 1, 0x80);
  t.is(DirectMemoryManager.compareMemory(a, 0, b, 0, length), -1);
});
