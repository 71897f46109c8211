/**
 * Block: MemoryBlock, one chunk of native memory with one owner at a time.
 * Room: handles (5). May use: primordials, types, format, errors, options, environment, native and this folder.
 */
import { Buffer } from 'node:buffer';
import { inspect } from 'node:util';
import { requireEnvironment } from '../environment.js';
import * as errors from '../errors.js';
import { formatBlock } from '../format.js';
import { binding } from '../native.js';
import { validateAlignment, validateAllocateOptions, validateByteValue, validateRange, validateSize } from '../options.js';
import * as p from '../primordials.js';
import type { AllocateOptions, Alignment, BytesLike, NativeMemory, ViewConstructor } from '../types.js';
import { alignmentCode, factsOf } from './facts.js';
import { Handle, KEY, fields, handleId } from './handle.js';
import { freeHandle, pinHandle, reallocateHandle } from './life.js';
import { compareOperands, copyOperand, fillOperand, operandSize } from './operand.js';
import { ARGUMENT, RESULT, T, addressOf, failure, grantedOf, isLive, setWide, unavailableReason } from './table.js';
import { arrayBufferOf, bytesOf, requireHere, requireLive, viewOf } from './views.js';

const { now } = Date;
const { allocUnsafeSlow, isEncoding } = Buffer;

/** Only this file may make one. */
let create: (slot: number, generation: number, size: number) => MemoryBlock;

/**
 * A chunk of native memory. Free it once: with `free()`, `DirectMemoryManager.freeMemory()`, or by declaring it with `using`.
 * Then every view of it has length 0, and every method throws `ERR_OFFHEAP_USE_AFTER_FREE`.
 */
export class MemoryBlock extends Handle implements NativeMemory {
  static {
    create = (slot, generation, size) => new MemoryBlock(KEY, slot, generation, size);
  }

  private constructor(key: symbol, slot: number, generation: number, size: number) {
    super(key, slot, generation, size);
  }

  /** A copy of bytes off the JavaScript heap. Throws as `allocateMemory`; empty bytes are out of range. */
  static from(bytes: BytesLike, alignment?: Alignment, options?: AllocateOptions): MemoryBlock {
    if (fields.isHandle(bytes)) throw errors.invalidArgType('bytes', ['ArrayBufferView', 'ArrayBuffer'], bytes);
    const size = operandSize(bytes, 'bytes');
    const block = allocateBlock(size, alignment, options);
    copyOperand(bytes, 0, block, 0, size, 'normal', 8);
    return block;
  }

  /** Unique in the process, never reused. */
  get id(): number {
    return handleId(own(this));
  }

  /** Bytes that were asked for. */
  get size(): number {
    return fields.sizeOf(own(this));
  }

  /** Bytes that were granted: the block's class. */
  get actualSize(): number {
    return grantedOf(fields.slotOf(own(this)));
  }

  /** For showing and for native code. */
  get address(): bigint {
    return addressOf(fields.slotOf(own(this)));
  }

  /** As it was asked. Of a freed block only if it was read before, else undefined. */
  get alignment(): Alignment {
    return factsOf(own(this))?.alignment as Alignment;
  }

  /** As it was given. Of a freed block only if it was read before, else undefined. */
  get label(): string | undefined {
    return factsOf(own(this))?.label;
  }

  /** `Date.now()` milliseconds. Of a freed block only if it was read before, else undefined. */
  get allocatedTimestamp(): number {
    return factsOf(own(this))?.allocatedTimestamp as number;
  }

  get freed(): boolean {
    return !this.isValid();
  }

  /** `Date.now()` milliseconds; 0 while live. */
  get freedTimestamp(): number {
    const extra = fields.extraOf(own(this));
    return typeof extra === 'number' ? extra : 0;
  }

  /** Whether the memory is still this handle's. */
  isValid(): boolean {
    const block = own(this);
    return isLive(fields.slotOf(block), fields.generationOf(block));
  }

  /** Milliseconds since the allocation; of a freed block up to the free, if it is known (see {@link allocatedTimestamp}). */
  getAgeMs(): number {
    const born = factsOf(own(this))?.allocatedTimestamp;
    if (born === undefined) return undefined as never;
    const end = this.freedTimestamp === 0 ? now() : this.freedTimestamp;
    return end > born ? end - born : 0;
  }

  fill(value: number, offset: number = 0, length?: number): this {
    const block = live(this);
    const rest = length ?? restFrom(block, offset);
    validateRange(offset, rest, fields.sizeOf(block));
    validateByteValue(value);
    fillOperand(block, offset, rest, value);
    return this;
  }

  copyTo(target: NativeMemory | BytesLike, targetOffset: number = 0, offset: number = 0, length?: number): void {
    const block = live(this);
    copyOperand(block, offset, target, targetOffset, length ?? restFrom(block, offset), 'normal', 8);
  }

  equals(other: NativeMemory | BytesLike): boolean {
    const block = live(this);
    const size = fields.sizeOf(block);
    return operandSize(other, 'other') === size && compareOperands(block, 0, other, 0, size) === 0;
  }

  bytes(offset: number = 0, length?: number): Uint8Array {
    const block = live(this);
    return bytesOf(block, offset, length ?? restFrom(block, offset));
  }

  view<Constructor extends ViewConstructor>(constructor: Constructor, offset: number = 0, length?: number): Constructor['prototype'] {
    return viewOf(live(this), constructor, offset, length) as Constructor['prototype'];
  }

  /** Exactly `size` bytes, the same object each time; free detaches it. */
  toArrayBuffer(): ArrayBuffer {
    return arrayBufferOf(live(this));
  }

  copyOut(offset: number = 0, length?: number): Buffer {
    const block = live(this);
    const count = length ?? restFrom(block, offset);
    validateRange(offset, count, fields.sizeOf(block));
    const copy = allocUnsafeSlow(count);
    copyOperand(block, offset, copy, 0, count, 'normal', 8);
    return copy;
  }

  text(offset: number = 0, length?: number, encoding: BufferEncoding = 'utf8'): string {
    const block = live(this);
    if (typeof encoding !== 'string') throw errors.invalidArgType('encoding', 'string', encoding);
    if (!isEncoding(encoding)) throw errors.invalidArgValue('encoding', encoding, 'must be an encoding that Buffer knows');
    return block.copyOut(offset, length).toString(encoding);
  }

  pin(): Disposable {
    return pinHandle(live(this));
  }

  async lease<Result>(use: (bytes: Uint8Array) => Promise<Result> | Result): Promise<Result> {
    const block = live(this);
    if (typeof use !== 'function') throw errors.invalidArgType('use', 'function', use);
    const bytes = block.bytes();
    const pin = pinHandle(block);
    try {
      return await use(bytes);
    } finally {
      pin[Symbol.dispose]();
    }
  }

  free(): void {
    freeHandle(own(this));
  }

  [Symbol.dispose](): void {
    if (this.isValid()) freeHandle(this);
  }

  override toString(): string {
    const { id, address, size } = own(this);
    const facts = factsOf(this);
    const ageMs = facts === undefined ? undefined : this.getAgeMs();
    return formatBlock('MemoryBlock', { id, address, size, alignment: facts?.alignment, ageMs, freed: this.freed });
  }
}

p.defineProperty(MemoryBlock.prototype, inspect.custom, {
  value(this: unknown): string {
    return fields.isHandle(this) ? this.toString() : 'MemoryBlock {}';
  },
});

/** Refuses a forged `this`. */
function own(block: MemoryBlock): MemoryBlock {
  if (!fields.isHandle(block)) throw errors.invalidArgType('this', 'MemoryBlock', block);
  return block;
}

/** Refuses a forged or dead `this`, and one whose memory is with somebody else. */
function live(block: MemoryBlock): MemoryBlock {
  requireLive(block, 'this');
  requireHere(block);
  return block;
}

/** Bytes from an offset to the end; an offset that is no good is left to the caller's range check. */
function restFrom(block: MemoryBlock, offset: number): number {
  const rest = fields.sizeOf(block) - offset;
  return rest >= 0 ? rest : 0;
}

/** Allocates. All arguments are checked here. */
export function allocateBlock(size: number, alignment?: Alignment, options?: AllocateOptions): MemoryBlock {
  validateSize(size);
  const { mode, log2 } = validateAlignment(alignment);
  const { zeroed, label } = validateAllocateOptions(options);
  requireAvailable();
  setWide(0, size);
  T[ARGUMENT + 2] = alignmentCode(mode, log2);
  T[ARGUMENT + 3] = zeroed ? 1 : 0;
  T[ARGUMENT + 4] = label === undefined || label === '' ? 0 : binding.internLabel(label);
  binding.allocate();
  if (T[RESULT] !== 0) throw failure('MemoryBlock', 0, 'allocated');
  return create(T[RESULT + 1] as number, T[RESULT + 2] as number, size);
}

/** Throws when nothing can be allocated in this process, or when the environment is nonsense. */
export function requireAvailable(): void {
  if (unavailableReason !== undefined) throw errors.notSupported('offheap', unavailableReason);
  requireEnvironment();
}

/** Reallocates a live block; its handle is dead afterwards, moved or not. */
export function reallocateBlock(block: MemoryBlock, size: number): MemoryBlock {
  reallocateHandle(block, size);
  return create(T[RESULT + 1] as number, T[RESULT + 2] as number, size);
}
