/**
 * Block: MemoryBlock, one chunk of native memory with one owner at a time.
 * Room: handles (5). May use: primordials, types, format, errors, options, environment, native and this folder.
 */
import type { Buffer } from 'node:buffer';
import { allocateNative, freeNative } from '../native.js';
import { accessError, validateFillValue, validateRange, validateSize } from '../options.js';
import * as p from '../primordials.js';
import type { AllocateOptions, Alignment, BytesLike, FillValue, NativeMemory, ViewConstructor, SharedToken } from '../types.js';
import { prepareAccess, viewOfParts } from './access.js';
import { NOT_READY, installAccessors } from './accessors.js';
import { installAtomics } from './atomics.js';
import type { AtomicMethods } from './atomics.js';
import type { Accessors } from './accessors.js';
import { factsOf } from './facts.js';
import { copyOf, decode, validateEncoding } from './copyout.js';
import type { Giving, Taking } from './doors.js';
import { FIRST_MAGAZINE, HOME_SHIFT, LENT_MAX, classHomes, giveSlot, magazineOf, takeSlot } from './front.js';
import { deadError, exposeFields, fields, forgedError, handleId } from './handle.js';
import type { Extra, Handle } from './handle.js';
import { NEAR_MAX, farOffset, farView, hiddenView } from './hidden.js';
import { isAway } from './holder.js';
import type { Holder } from './holder.js';
import { leased } from './lease.js';
import { pinHandle } from './life.js';
import { shareBlock } from './shares.js';
import { compareOperands, copyOperand, fillOperand, operandSize } from './operand.js';
import { freeViewed } from './pooled.js';
import { WORD_CODE, ZEROED, requireAvailable, stageDetails } from './request.js';
import { ARGUMENT, FRONT, NATIVE_TIME, RESULT, T, TWO_32, addressOf, failure, grantedOf, isLive, noteWritten, offsetOf, setWide, spanOf } from './table.js';
import { ageOf, freedTimestampOf, toText } from './told.js';
import { allocateZeroed } from './zeroed.js';
import { arrayBufferOf, bytesOf, requireHere, requireLive, restFrom, viewOf } from './views.js';

const UNVIEWED = 1;
const VIEWED = 2;
/** The generation of a handle of nothing: no record has it. */
const NONE = -1;
type Doors = Taking<MemoryBlock> & Giving<MemoryBlock>;
let doors: Doors;

/** The typed getters and setters; accessors.ts puts them on the class. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- these are methods that installAccessors and installAtomics do define
export interface MemoryBlock extends Accessors, AtomicMethods {}

/**
 * A chunk of native memory. Free it once: with `free()`, `DirectMemoryManager.freeMemory()`, or by declaring it with `using`.
 * Then every view of it has length 0, and every method throws `ERR_OFFHEAP_USE_AFTER_FREE`.
 */
export class MemoryBlock implements NativeMemory {
  // Four fields on purpose: a fresh object of four costs 13 ns, of six 22; and no base class: that costs 15 more.
  // Numbers from the start: V8 then knows of the fields that they are small integers, and need not look.
  #slot: number = 0;
  #generation: number = 0;
  #size: number = 0;
  #extra: Extra;

  static {
    // `this`, not the class's name: a bundler would give a class that names itself another name, and it would show.
    // Closer than the module's: for each of its names that a short function uses, its bytecode is six bytes longer.
    const makeTaking = (t: Int32Array, homes: Uint16Array, takeFrom: typeof takeSlot): Taking<MemoryBlock> => ({
      allocateBlock: (size, alignment, options) => {
        if (options === undefined && (alignment === undefined || alignment === 'word') && typeof size === 'number' && size >>> 0 === size && size <= LENT_MAX) {
          const block = new this(0, NONE, size);
          const magazine = homes[(size + 15) >>> 4] as number; // of size 0 one that is always empty
          const slot = takeFrom(magazine, (magazine << HOME_SHIFT) | size, size, size);
          if (slot) {
            block.#slot = slot;
            block.#generation = t[FRONT + (slot << 2)] as number;
            return block;
          }
        }
        const natively = anyhow[options === undefined && alignment === undefined ? 0 : 1] as typeof allocateDetailed;
        return natively(size, alignment, options);
      },
      takePooled: (pool, { magazine, blockSize }, otherwise) => {
        const block = new this(0, NONE, blockSize);
        const slot = takeFrom(magazine, magazine << HOME_SHIFT, 1, blockSize);
        if (!slot) return otherwise(pool);
        block.#slot = slot;
        block.#generation = t[FRONT + (slot << 2)] as number;
        return block;
      },
      create: (size) => new this(0, NONE, size),
      takeNatively: (handle, take, tellsSize) => {
        take();
        if (t[RESULT] !== 0) return -1;
        if (tellsSize) handle.#size = ((t[RESULT + 3] as number) >>> 0) + ((t[RESULT + 4] as number) >>> 0) * TWO_32;
        handle.#slot = t[RESULT + 1] as number;
        handle.#generation = t[RESULT + 2] as number;
        return handle.#slot;
      },
    });
    const makeGiving = (t: Int32Array, homes: Uint16Array, giveTo: typeof giveSlot): Giving<MemoryBlock> => ({
      freeUnviewed: (block) => {
        t[ARGUMENT] = block.#slot;
        t[ARGUMENT + 1] = block.#generation;
        freeNative();
        if (t[RESULT] === 0) block.#extra = ((t[RESULT + 1] as number) >>> 0) + (t[RESULT + 2] as number) * TWO_32 + NATIVE_TIME; // as resultTime()
        else freeViewed(block);
      },
      giveBack: (block: MemoryBlock) => {
        try {
          if (block.#extra !== undefined) return VIEWED;
          const size = block.#size;
          if (size > LENT_MAX) return UNVIEWED;
          const magazine = homes[(size + 15) >>> 4] as number;
          const time = giveTo(block.#slot, block.#generation, magazine, (magazine << HOME_SHIFT) | size, size);
          if (!time) return UNVIEWED;
          block.#extra = time;
          return 0;
        } catch {
          return VIEWED;
        }
      },
      giveToPool: (block: MemoryBlock, magazine) => {
        try {
          if (block.#extra !== undefined) return false;
          const time = giveTo(block.#slot, block.#generation, magazine, magazine << HOME_SHIFT, block.#size);
          if (!time) return false;
          block.#extra = time;
          return true;
        } catch {
          return false;
        }
      },
      // Others are usual in these two: to throw costs 5 µs. And where V8 once met one that has no such field, it takes 3 ns longer to ask.
      shownWhole: (block, length) => {
        if (p.isView(block) || !(#slot in block) || block.#size !== length) return undefined;
        return isLive(block.#slot, block.#generation) ? (block.#extra as Holder | undefined)?.bytes : undefined;
      },
      shownPart: (block, offset, length) => {
        if (p.isView(block) || !(#slot in block) || typeof offset !== 'number' || offset >>> 0 !== offset) return undefined;
        const isInside = offset <= block.#size - length && isLive(block.#slot, block.#generation);
        return isInside ? (block.#extra as Holder | undefined)?.bytes : undefined;
      },
      liveSlot: (block, offset, length) => {
        if (typeof block !== 'object' || block === null || p.isView(block) || !(#slot in block)) return -1;
        const slot = block.#slot;
        return isLive(slot, block.#generation) && typeof offset === 'number' && offset >>> 0 === offset && offset <= block.#size - length ? slot : -1;
      },
      stageRange: (block, first, offset, length) => {
        const slot = doors.liveSlot(block, offset, length);
        if (slot < 0 || ((block as MemoryBlock).#extra !== undefined && isAway((block as MemoryBlock).#extra as Holder, (block as MemoryBlock).#size))) return -1; // live: no time
        t[first] = slot;
        t[first + 1] = (block as MemoryBlock).#generation;
        t[first + 2] = offset;
        t[first + 3] = 0;
        return slot;
      },
    });
    doors = { ...makeTaking(T, classHomes, takeSlot), ...makeGiving(T, classHomes, giveSlot) };
    exposeFields({
      isHandle: (value): value is Handle => typeof value === 'object' && value !== null && !p.isView(value) && #slot in value,
      slotOf: (handle) => (handle as MemoryBlock).#slot,
      generationOf: (handle) => (handle as MemoryBlock).#generation,
      sizeOf: (handle) => (handle as MemoryBlock).#size,
      extraOf: (handle) => (handle as MemoryBlock).#extra,
      setExtra: (handle, extra) => {
        (handle as MemoryBlock).#extra = extra;
      },
      end: (handle, freeIt) => {
        freeIt();
        if (T[RESULT] !== 0) return false;
        (handle as MemoryBlock).#extra = ((T[RESULT + 1] as number) >>> 0) + (T[RESULT + 2] as number) * TWO_32 + NATIVE_TIME; // as resultTime()
        return true;
      },
      takeOver: (handle, take, old, time) => {
        take();
        if (T[RESULT] !== 0) return false;
        (handle as MemoryBlock).#slot = T[RESULT + 1] as number;
        (handle as MemoryBlock).#generation = T[RESULT + 2] as number;
        (old as MemoryBlock).#extra = time;
        return true;
      },
      // Code that V8 optimised for blocks is thrown away by a garbage collection that finds none; this one, never live, stays.
      sample: new this(0, NONE, 0),
    });
    installAccessors<MemoryBlock>(this.prototype, {
      locate: (self, offset, width) => {
        if (!isLive(self.#slot, self.#generation)) throw deadError(self); // a forged one throws at `#slot`, see `prepare`
        if (typeof offset !== 'number' || offset < 0 || offset > self.#size - width || ((offset | 0) !== offset && !p.isInteger(offset))) {
          throw accessError(offset, width, self.#size);
        }
        if (offset > NEAR_MAX) return farOffset(offset); // in so large a block, which begins where its span does
        return self.#extra === undefined ? offsetOf(self.#slot) + offset : offset; // live: so `extra` is no time
      },
      view: (self, offset) => {
        const holder = self.#extra as Holder | undefined;
        if (holder === undefined) {
          const view = offset <= NEAR_MAX ? hiddenView(spanOf(self.#slot)) : farView(spanOf(self.#slot), offset);
          if (view === undefined) throw NOT_READY;
          return view;
        }
        const { accessor } = holder;
        if (accessor !== undefined) return accessor;
        if (holder.isWhole && holder.buffer !== undefined) throw NOT_READY;
        return viewOfParts(self, holder, offset);
      },
      touch: (self) => noteWritten(self.#slot),
      prepare: prepareAccess,
    });
    installAtomics<MemoryBlock>(this.prototype, live, pinHandle);
  }

  constructor(slot: number, generation: number, size: number) {
    this.#slot = slot;
    this.#generation = generation;
    this.#size = size;
  }

  /** Unique in the process, never reused. */
  get id(): number {
    return handleId(own(this));
  }

  /** Bytes that were asked for. */
  get size(): number {
    try {
      return this.#size;
    } catch {
      throw forgedError('this', this);
    }
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
    return !isLive(fields.slotOf(own(this)), fields.generationOf(this));
  }

  /** `Date.now()` milliseconds; 0 while live. */
  get freedTimestamp(): number {
    return freedTimestampOf(own(this));
  }

  /** Whether the memory is still this handle's. */
  isValid(): boolean {
    if (typeof this !== 'object' || this === null || !(#slot in this)) throw forgedError('this', this);
    return isLive(this.#slot, this.#generation);
  }

  /** Milliseconds since the allocation; of a freed block up to the free, if it is known (see {@link allocatedTimestamp}). */
  getAgeMs(): number {
    return ageOf(own(this)) as number;
  }

  fill(value: FillValue, offset: number = 0, length?: number): this {
    const block = live(this);
    const rest = length === undefined ? restFrom(block, offset) : length;
    validateRange(offset, rest, fields.sizeOf(block));
    fillOperand(block, offset, rest, validateFillValue(value));
    return this;
  }

  copyTo(target: NativeMemory | BytesLike, targetOffset: number = 0, offset: number = 0, length?: number): void {
    const block = live(this);
    copyOperand(block, offset, target, targetOffset, length === undefined ? restFrom(block, offset) : length, 'normal', 8);
  }

  equals(other: NativeMemory | BytesLike): boolean {
    const block = live(this);
    const size = fields.sizeOf(block);
    return operandSize(other, 'other') === size && compareOperands(block, 0, other, 0, size) === 0;
  }

  bytes(offset: number = 0, length?: number): Uint8Array {
    const block = live(this);
    return bytesOf(block, offset, length === undefined ? restFrom(block, offset) : length);
  }

  view<Constructor extends ViewConstructor>(constructor: Constructor, offset: number = 0, length?: number): Constructor['prototype'] {
    return viewOf(live(this), constructor, offset, length) as Constructor['prototype'];
  }

  /** Exactly `size` bytes, the same object each time; free detaches it. */
  toArrayBuffer(): ArrayBuffer {
    return arrayBufferOf(live(this));
  }

  copyOut(offset: number = 0, length?: number): Buffer {
    return copyOf(live(this), offset, length);
  }

  text(offset: number = 0, length?: number, encoding: BufferEncoding = 'utf8'): string {
    const block = live(this);
    validateEncoding(encoding);
    return decode(copyOf(block, offset, length), encoding);
  }

  /** Offers the block to one more holder, here or in a worker: post the token, and give it to `MemoryBlock.attach` there. The token holds the
   * memory, and counts as a block, until it is attached, this thread ends, or `freeAllMemory()` is called here. */
  share(): SharedToken {
    return shareBlock(this);
  }

  pin(): Disposable {
    return pinHandle(live(this));
  }

  lease<Result>(use: (bytes: Uint8Array) => Promise<Result> | Result): Promise<Result> {
    return leased(use, () => live(this), (block) => bytesOf(block, 0, fields.sizeOf(block)), pinHandle);
  }

  free(): void {
    free(this);
  }

  [Symbol.dispose](): void {
    if (isLive(fields.slotOf(own(this)), fields.generationOf(this))) free(this);
  }

  toString(): string {
    return toText(own(this));
  }
}

/** Allocate by a native call. In a list: of two V8 takes neither into a loop, which then has room for what it needs more often. */
const anyhow = [allocatePlain, allocateDetailed] as const;

// Each is told of in doors.ts. Constants, which V8 folds: to ask whether a variable still holds the same function costs a load.
export const allocateBlock: Doors['allocateBlock'] = doors.allocateBlock;
export const takePooled: Doors['takePooled'] = doors.takePooled;
export const create: Doors['create'] = doors.create;
export const takeNatively: Doors['takeNatively'] = doors.takeNatively;
export const giveBack: Doors['giveBack'] = doors.giveBack;
export const giveToPool: Doors['giveToPool'] = doors.giveToPool;
export const liveSlot: Doors['liveSlot'] = doors.liveSlot;
export const shownWhole: Doors['shownWhole'] = doors.shownWhole;
export const shownPart: Doors['shownPart'] = doors.shownPart;
export const stageRange: Doors['stageRange'] = doors.stageRange;
export const freeUnviewed: Doors['freeUnviewed'] = doors.freeUnviewed;

/** What `free()` and dispose do, whatever a script made of the methods. */
export const free = (block: MemoryBlock): void => {
  const way = giveBack(block);
  if (!way) return;
  const magazine = fields.isHandle(block) ? magazineOf(fields.slotOf(block)) : 0;
  if (magazine < FIRST_MAGAZINE || !giveToPool(block, magazine)) (way === UNVIEWED ? freeUnviewed : freeViewed)(block);
};

/** Refuses a forged `this`. */
function own(block: MemoryBlock): MemoryBlock {
  if (!fields.isHandle(block)) throw forgedError('this', block);
  return block;
}

/** Refuses a forged or dead `this`, and one whose memory is with somebody else. */
function live(block: MemoryBlock): MemoryBlock {
  requireLive(block, 'this');
  requireHere(block);
  return block;
}

function allocatePlain(size: number): MemoryBlock {
  validateSize(size);
  T[ARGUMENT + 2] = WORD_CODE;
  return allocateStaged(size);
}

function allocateDetailed(size: number, alignment: Alignment | undefined, options: AllocateOptions | undefined): MemoryBlock {
  validateSize(size);
  stageDetails(alignment, options);
  return T[ARGUMENT + 2] === WORD_CODE && size <= LENT_MAX ? allocateBlock(size) : allocateStaged(size);
}

function allocateStaged(size: number): MemoryBlock {
  requireAvailable();
  const block = create(size);
  setWide(0, size);
  const slot = takeNatively(block, T[ARGUMENT + 2] === ZEROED ? allocateZeroed : allocateNative);
  if (slot > 0) return block;
  if (slot < 0) throw failure('MemoryBlock', 0, 'allocated');
  return allocateBlock(size); // there is one now, unless another thread set a limit meanwhile
}
