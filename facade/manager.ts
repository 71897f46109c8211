/**
 * Manager: DirectMemoryManager, the front door.
 * Room: manager (7). May use: everything below.
 */
import * as errors from './errors.js';
import type { MemoryBlock } from './handles/block.js';
import { allocateBlock, create, freeUnviewed, giveBack } from './handles/block.js';
import { allocated, directBufferOfMemory, notBlockError } from './handles/grant.js';
import { fields, handleId } from './handles/handle.js';
import { reallocateHandle, sweep } from './handles/life.js';
import { compareInBackground, copyInBackground, fillInBackground } from './handles/jobs.js';
import { addressOfView, compareOperands, copyOperand, fillOperand, mismatchOperands, operandSize } from './handles/operand.js';
import type { Operand } from './handles/operand.js';
import { freeViewed, refusePooled } from './handles/pooled.js';
import { requireAvailable } from './handles/request.js';
import { isLive, isWorker, poolNumberOf, unavailableReason } from './handles/table.js';
import { requireStack } from './handles/stack.js';
import { NOT_DONE, compareBlocks, copyBlocks, copyHere, copyIn, copyOut, copyWhole, fillBlock, mismatchBlocks, quickMode } from './handles/staged.js';
import { directBufferOf, requireHere, requireLive, restFrom } from './handles/views.js';
import { binding } from './native.js';
import * as p from './primordials.js';
import {
  validateCopyMode,
  validateElementSize,
  validateFillValue,
  validateLength,
  validateLimit,
  validateMaxAge,
  validateOffset,
  validateSize,
  validateSwapLength,
  validateTaskOptions,
} from './options.js';
import type { CheckedFill } from './options.js';
import { blockRows, memoryStats } from './stats.js';
import type { AllocateOptions, AllocatedMemory, Alignment, BlockInfo, CopyMode, ElementSize, FillValue, MemoryStats, NativeMemory, OperationOptions } from './types.js';

const system = unavailableReason === undefined ? binding.systemInfo() : { pageSize: 4096, cacheLineSize: 64 };

/** Memory of an allocator. Blocks are asked for first: to find a private field absent costs 8 ns. */
function isOther(value: unknown): value is AllocatedMemory {
  return !fields.isHandle(value) && allocated.isAllocated(value);
}

/** A live handle of either kind. */
function requireMemory(value: unknown): void {
  if (!isOther(value)) requireLive(value, 'block'); // of allocated memory the operation itself asks
}

/** A block that the manager owns; a foreign or forged one is refused. Small, so that V8 has room to inline the rest. */
function ownBlock(block: unknown): MemoryBlock {
  if (!fields.isHandle(block)) throw notBlockError(block, 'DirectMemoryManager');
  if (poolNumberOf(fields.slotOf(block)) >= 0) refusePooled(block, 'DirectMemoryManager');
  return block as MemoryBlock;
}

/** Free by a native call, each after {@link giveBack} has said its index, which is never 0. In a list, for the reason that block.ts gives. */
const freeings: readonly ((block: unknown) => void)[] = [
  (block) => freeViewed(ownBlock(block)),
  (block) => freeUnviewed(ownBlock(block)),
  (block) => freeViewed(ownBlock(block)),
];

function checkFill(offset: number, length: number, value: FillValue): CheckedFill {
  validateOffset(offset);
  validateLength(length);
  return validateFillValue(value);
}

function checkCopy(
  sourceOffset: number,
  targetOffset: number,
  length: number,
  mode: CopyMode | undefined,
  elementSize: ElementSize | undefined,
): { how: CopyMode; width: ElementSize } {
  validateOffset(sourceOffset, 'sourceOffset');
  validateOffset(targetOffset, 'targetOffset');
  validateLength(length);
  const how = validateCopyMode(mode);
  const width = validateElementSize(elementSize);
  if (how === 'swap-endian') validateSwapLength(length, width);
  return { how, width };
}

/** Frees every block of this isolate that can be freed, of its pools too if asked, and returns how many. */
function sweepAll(withPools: boolean): number {
  binding.settle();
  const numbers = binding.blocksOf(binding.isolateNumber(), withPools);
  let freed = 0;
  const count = p.typedArrayLength(numbers);
  for (let at = 0; at < count; at += 3) {
    if (sweep(numbers[at] as number, numbers[at + 1] as number, numbers[at + 2] !== 0)) freed += 1;
  }
  return freed;
}

// A worker's end leaves nothing: what its views show is freed while they can still be killed. Not in the process's first thread, whose
// end is the process's.
if (isWorker && unavailableReason === undefined) process.on('exit', () => void sweepAll(true));

/** Allocation, memory operations, statistics. All members are static; sizes, offsets and lengths are bytes. */
export class DirectMemoryManager {
  /** Bytes of a machine word. */
  static readonly WORD_SIZE: number = 8;
  /** Bytes of a cache line, as the OS reports it. */
  static readonly CACHE_LINE_SIZE: number = system.cacheLineSize;
  /** Bytes of a page, as the OS reports it. */
  static readonly PAGE_SIZE: number = system.pageSize;
  /** Why nothing can be allocated; `undefined` when it can. */
  static readonly unavailableReason: string | undefined = unavailableReason;

  private constructor() {
    throw errors.notSupported('new DirectMemoryManager()', 'all its members are static');
  }

  /** Whether memory can be allocated in this process; see {@link unavailableReason}. */
  static isAvailable(): boolean {
    return unavailableReason === undefined;
  }

  /** `size` bytes at an address that is a multiple of `alignment` (default `'word'`); uninitialised unless `zeroed`.
   * Throws `ERR_OFFHEAP_OUT_OF_MEMORY` or `ERR_OFFHEAP_LIMIT`, with `requested` and `available`. */
  static allocateMemory(size: number, alignment?: Alignment, options?: AllocateOptions): MemoryBlock {
    return allocateBlock(size, alignment, options);
  }

  /** The same contents, alignment and label in `newSize` bytes, in place where that is possible. The old handle and its views are dead. */
  static reallocateMemory(block: MemoryBlock, newSize: number): MemoryBlock {
    const own = ownBlock(block);
    validateSize(newSize, 'newSize');
    if (!isLive(fields.slotOf(own), fields.generationOf(own))) throw errors.useAfterFree('MemoryBlock', handleId(own));
    const fresh = create(newSize);
    reallocateHandle(own, fresh, newSize);
    return fresh;
  }

  /** Frees a block; its views have length 0 then. A second time: `ERR_OFFHEAP_DOUBLE_FREE`; while pinned: `ERR_OFFHEAP_IN_USE`. */
  static freeMemory(block: MemoryBlock): void {
    const way = giveBack(block);
    if (way) (freeings[way] as (block: unknown) => void)(block);
  }

  /** Frees every block of the calling isolate, and returns how many. Pinned ones, escaped ones and those with a view whose handle is
   * gone stay, and show in {@link getAllocatedBlocks}. */
  static freeAllMemory(): number {
    requireAvailable();
    return sweepAll(false);
  }

  /** Sets `length` bytes to `value`, 0 … 255 or −128 … 127, or fills them with a pattern of 2, 4, 8 or 16 bytes. */
  static setMemory(block: NativeMemory, offset: number, length: number, value: FillValue): void {
    if (fillBlock(block, offset, length, value)) return;
    requireMemory(block);
    fillOperand(block, offset, length, checkFill(offset, length, value));
  }

  static zeroMemory(block: NativeMemory): void {
    if (fields.isHandle(block) && fillBlock(block, 0, fields.sizeOf(block), 0)) return;
    requireMemory(block);
    fillOperand(block, 0, operandSize(block, 'block'), 0);
  }

  /** Copies `length` bytes; the ranges may overlap in every mode. `elementSize` (default 8) is for `'swap-endian'`, whose `length` must
   * be a multiple of it. */
  static copyMemory(
    source: Operand,
    sourceOffset: number,
    target: Operand,
    targetOffset: number,
    length: number,
    mode?: CopyMode,
    elementSize?: ElementSize,
  ): void {
    const isPlain = (mode === undefined || mode === 'normal') && elementSize === undefined;
    if (isPlain && ((sourceOffset === 0 && copyWhole(source, target, targetOffset, length)) || copyHere(source, sourceOffset, target, targetOffset, length))) return;
    const quick = quickMode(mode, elementSize, length);
    if (quick >= 0 && copyBlocks(source, sourceOffset, target, targetOffset, length, quick)) return;
    if (quick === 0 && (copyIn(source, sourceOffset, target, targetOffset, length) || copyOut(source, sourceOffset, target, targetOffset, length))) return;
    const { how, width } = checkCopy(sourceOffset, targetOffset, length, mode, elementSize);
    copyOperand(source, sourceOffset, target, targetOffset, length, how, width);
  }

  /** {@link copyMemory} off the main thread. Both ends are pinned until the promise settles; then nobody reads or writes them any more. Bytes
   * that somebody writes meanwhile arrive in their old or new state. Buffers of JavaScript's are copied on the main thread, in slices of 1 MiB
   * between which the event loop turns. Rejects with what `copyMemory` throws, or with `signal.reason`. */
  static async copyMemoryAsync(
    source: Operand,
    sourceOffset: number,
    target: Operand,
    targetOffset: number,
    length: number,
    mode?: CopyMode,
    elementSize?: ElementSize,
    options?: OperationOptions,
  ): Promise<void> {
    requireStack();
    const { how, width } = checkCopy(sourceOffset, targetOffset, length, mode, elementSize);
    await copyInBackground(source, sourceOffset, target, targetOffset, length, how, width, validateTaskOptions(options));
  }

  /** {@link setMemory} off the main thread, as {@link copyMemoryAsync}. */
  static async fillAsync(block: NativeMemory, offset: number, length: number, value: FillValue, options?: OperationOptions): Promise<void> {
    requireStack();
    const pattern = checkFill(offset, length, value);
    const checked = validateTaskOptions(options);
    requireMemory(block);
    await fillInBackground(block, offset, length, pattern, checked);
  }

  /** {@link compareMemory} off the main thread, as {@link copyMemoryAsync}. It ends early at the first difference. */
  static async compareAsync(a: Operand, aOffset: number, b: Operand, bOffset: number, length: number, options?: OperationOptions): Promise<-1 | 0 | 1> {
    requireStack();
    validateOffset(aOffset, 'aOffset');
    validateOffset(bOffset, 'bOffset');
    validateLength(length);
    return compareInBackground(a, aOffset, b, bOffset, length, validateTaskOptions(options));
  }

  /** Compares as unsigned bytes; the first difference decides. */
  static compareMemory(a: Operand, aOffset: number, b: Operand, bOffset: number, length: number): -1 | 0 | 1 {
    const order = compareBlocks(a, aOffset, b, bOffset, length);
    if (order !== NOT_DONE) return order as -1 | 0 | 1;
    validateOffset(aOffset, 'aOffset');
    validateOffset(bOffset, 'bOffset');
    validateLength(length);
    return compareOperands(a, aOffset, b, bOffset, length);
  }

  /** The index of the first byte that differs, −1 if none does. */
  static mismatch(a: Operand, aOffset: number, b: Operand, bOffset: number, length: number): number {
    const index = mismatchBlocks(a, aOffset, b, bOffset, length);
    if (index !== NOT_DONE) return index;
    validateOffset(aOffset, 'aOffset');
    validateOffset(bOffset, 'bOffset');
    validateLength(length);
    return mismatchOperands(a, aOffset, b, bOffset, length);
  }

  /** A Buffer over the block's own bytes. It has length 0 once the block is freed. */
  static createDirectByteBuffer(block: NativeMemory, offset: number = 0, length?: number): Buffer {
    if (isOther(block)) return directBufferOfMemory(block, offset, length);
    requireLive(block, 'block');
    requireHere(block);
    return directBufferOf(block, offset, length === undefined ? restFrom(block, offset) : length);
  }

  /** The address of a view's or a buffer's first byte. */
  static getDirectBufferAddress(view: ArrayBufferView | ArrayBuffer): bigint {
    requireAvailable();
    return addressOfView(view);
  }

  /** Totals of the process. */
  static getMemoryStats(): MemoryStats {
    requireAvailable();
    return memoryStats();
  }

  /** Every live block of the process, oldest first. */
  static getAllocatedBlocks(): BlockInfo[] {
    requireAvailable();
    return blockRows(0);
  }

  /** Live blocks that are at least `maxAgeMs` old, oldest first. */
  static findPotentialLeaks(maxAgeMs: number): BlockInfo[] {
    validateMaxAge(maxAgeMs);
    requireAvailable();
    return blockRows(maxAgeMs);
  }

  /** Caps the bytes of live blocks of the process; null lifts the cap, also that of `OFFHEAP_LIMIT`. What is live stays. */
  static setLimit(bytes: number | null): void {
    validateLimit(bytes);
    requireAvailable();
    binding.setLimit(bytes ?? -1);
  }

  /** Gives the pages of free memory back to the OS, and returns their bytes. */
  static trim(): number {
    requireAvailable();
    binding.settle();
    return binding.trim();
  }
}
