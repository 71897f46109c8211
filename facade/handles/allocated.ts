/**
 * Allocated: AllocatedMemory, a range inside an allocator's region.
 * Room: handles (5). May use: primordials, types, format, errors, options and this folder.
 */
import type { Buffer } from 'node:buffer';
import { inspect } from 'node:util';
import * as errors from '../errors.js';
import { accessError, validateFillValue, validateRange } from '../options.js';
import * as p from '../primordials.js';
import type { AdvancedMemoryAllocator, AllocatedMemory as Face, BytesLike, FillValue, NativeMemory, ViewConstructor } from '../types.js';
import { NOT_READY, installAccessors } from './accessors.js';
import { apart } from './apart.js';
import { installAtomics } from './atomics.js';
import type { AtomicMethods } from './atomics.js';
import type { Accessors } from './accessors.js';
import { decode, validateEncoding } from './copyout.js';
import { EPOCHS } from './epochs.js';
import { GRANT_MAX, STRETCH_LEVEL, STRETCH_STAY, cutStretch, giveGrant, grantTaker, noteTaken } from './front.js';
import {
  FREED,
  KIND,
  ageOf,
  allocated,
  bytesOf,
  copyOf,
  deadError,
  exposeAllocated,
  freeMemory,
  grantedTo,
  idOfMemory,
  isUsable,
  labelOf,
  pinMemory,
  placeOf,
  prepareMemory,
  restOf,
  textOf,
  usable,
} from './grant.js';
import type { Place } from './grant.js';
import { leased } from './lease.js';
import { compareOperands, copyOperand, fillOperand, operandSize } from './operand.js';
import { checkEscape, farAccessor, farPlace, isGranted, isUnchanged } from './region.js';
import type { Region } from './region.js';
import { NEAR_UNITS, followSize, makeCourse } from './rings.js';
import type { Course } from './rings.js';
import { sealed } from './sealed.js';
import type { Sealed } from './sealed.js';
import { ARGUMENT, RESULT, T, TWO_32, setWide } from './table.js';
import { typedView } from './views.js';

type Take = <State extends { readonly region: Region }, Other>(
  state: State,
  size: number,
  label: string | undefined,
  otherwise: (state: State, size: number, label: string | undefined) => Other,
) => Face | Other;

/** What sees the private fields and has to be short. As in doors.ts the handle is made first, and nothing is called once something was taken. */
interface Doors {
  readonly takeLent: Take;
  readonly cutLent: Take;
  giveBack(memory: unknown, region: Region): boolean; // what is no grant throws at its first private field, as in block.ts
  /** A handle of nothing, for {@link takeNatively}. */
  readonly create: (region: Region, size: number) => Face;
  readonly createGrant: (region: Region, size: number, slot: number, generation: number, units: number) => Face;
  /** Gives a new handle what a native function grants; false when that refuses. */
  readonly takeNatively: (memory: Face, take: () => void) => boolean;
  allBytes(memory: unknown): Uint8Array | undefined;
}
let doors: Doors;
type TakeFrom = (region: Region, magazine: number, size: number) => Face | undefined;

/** The typed getters and setters; accessors.ts puts them on the class. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- these are methods that installAccessors and installAtomics do define
interface Grant extends Accessors, AtomicMethods {}

/**
 * A range inside an allocator's region. Free it once, with `free()`, its allocator's `free()`, or by declaring it with `using`; every
 * method then throws `ERR_OFFHEAP_USE_AFTER_FREE`. Its views are views of the region: they have length 0 after the allocator's `reset()` or
 * `close()`, not after the free, and show somebody else's bytes by then.
 */
class Grant implements Face {
  readonly #region: Region;
  // Numbers from the start, as in block.ts.
  #slot: number = 0;
  #generation: number = FREED;
  readonly #size: number = 0;
  #offset: number = 0;

  static {
    // Closer than the module's, as in block.ts.
    const makeDoors = (t: Int32Array, takeFrom: TakeFrom, cutFrom: typeof cutStretch, giveTo: typeof giveGrant): Omit<Doors, 'create' | 'createGrant'> => ({
      takeLent: (state, size, label, otherwise) => {
        const { region } = state;
        if (label === undefined && typeof size === 'number' && (size & GRANT_MAX) === size) {
          const memory = takeFrom(region, size === region.lastSize ? region.lastHome : (region.homes[size] as number), size);
          return memory === undefined ? apart(otherwise, state, size, label) : memory;
        }
        return otherwise(state, size, label); // what is never lent takes no other way
      },
      cutLent: (state, size, label, otherwise) => {
        const { region } = state;
        if (label === undefined && typeof size === 'number' && (size & GRANT_MAX) === size && size > 0) {
          const { stretch } = region;
          const memory = new this(region, size);
          const at = cutFrom(stretch, size, region.turnAt, region.turn);
          if (at >= 0) {
            memory.#slot = t[stretch + STRETCH_LEVEL] as number;
            memory.#generation = t[stretch + STRETCH_STAY] as number;
            memory.#offset = region.stretchAt + at;
            return memory;
          }
          return apart(otherwise, state, size, label);
        }
        return otherwise(state, size, label);
      },
      giveBack: (memory: Grant, region) => {
        try {
          const size = memory.#size;
          return giveTo(memory.#slot, memory.#generation, size === region.lastSize ? region.lastHome : (region.homes[size] as number), size, region.turnAt, region.turn);
        } catch {
          return false;
        }
      },
      allBytes: (memory: Grant) => {
        try {
          const region = memory.#region;
          const { whole } = region; // of a region that is over undefined; of one that was sent away none can be made
          if (whole === undefined || !isUnchanged(region) || !isGranted(region, memory.#slot, memory.#generation)) return undefined;
          return p.uint8Over(whole, memory.#offset, memory.#size);
        } catch {
          return undefined;
        }
      },
      takeNatively: (memory, take) => {
        take();
        if (t[RESULT] !== 0) return false;
        const grant = memory as Grant;
        grant.#slot = t[RESULT + 1] as number;
        grant.#generation = t[RESULT + 2] as number;
        const low = t[RESULT + 3] as number;
        const high = t[RESULT + 4] as number;
        grant.#offset = low >= 0 && high === 0 ? low : (low >>> 0) + (high >>> 0) * TWO_32; // a small integer if it can be one
        return true;
      },
    });
    const createGrant = (region: Region, size: number, slot: number, generation: number, units: number): Face => {
      const memory = new this(region, size);
      memory.#slot = slot;
      memory.#generation = generation;
      memory.#offset = (units & NEAR_UNITS) === units ? units << 4 : (units >>> 0) * 16;
      return memory;
    };
    const takeFrom = grantTaker<Region, Face>(T, EPOCHS, noteTaken, createGrant);
    doors = { ...makeDoors(T, takeFrom, cutStretch, giveGrant), create: (region, size) => new this(region, size), createGrant };
    exposeAllocated({
      isAllocated: (value): value is Grant => typeof value === 'object' && value !== null && !p.isView(value) && #region in value,
      regionOf: (memory) => (memory as Grant).#region,
      slotOf: (memory) => (memory as Grant).#slot,
      generationOf: (memory) => (memory as Grant).#generation,
      sizeOf: (memory) => (memory as Grant).#size,
      offsetOf: (memory) => (memory as Grant).#offset,
      stageFree: (memory, region) => {
        try {
          const grant = memory as Grant; // what is none throws here: to ask first costs 3 ns
          if (grant.#region !== region || !region.isPlain) return false;
          T[ARGUMENT + 2] = grant.#slot;
          T[ARGUMENT + 3] = grant.#generation;
        } catch {
          return false;
        }
        T[ARGUMENT] = region.number;
        T[ARGUMENT + 1] = region.life;
        return true;
      },
      stage: (memory) => {
        const self = memory as Grant;
        const region = self.#region;
        T[ARGUMENT] = region.number;
        T[ARGUMENT + 1] = region.life;
        T[ARGUMENT + 2] = self.#slot;
        T[ARGUMENT + 3] = self.#generation;
        setWide(4, self.#size);
      },
      end: (memory, freeIt) => {
        const grant = memory as Grant;
        freeIt();
        if (T[RESULT] !== 0) return false;
        if (grant.#region.levels !== undefined) grant.#generation = FREED;
        return true;
      },
    });
    installAccessors<Grant>(this.prototype, {
      locate: (self, offset, width) => {
        const region = self.#region; // throws for a forged one, see `prepare`
        if (!isGranted(region, self.#slot, self.#generation)) throw refusal(self);
        if (typeof offset !== 'number' || offset < 0 || offset > self.#size - width || ((offset | 0) !== offset && !p.isInteger(offset))) {
          throw accessError(offset, width, self.#size);
        }
        return region.isHuge ? farPlace(self.#offset + offset) : self.#offset + offset;
      },
      view: (self, offset) => {
        const region = self.#region;
        const { accessor } = region;
        if (accessor !== undefined) return accessor;
        if (!region.isHuge) throw NOT_READY;
        if (checkEscape(region)) throw errors.escaped(KIND, idOfMemory(self));
        return farAccessor(region, self.#offset + offset);
      },
      touch: () => undefined,
      prepare: prepareMemory,
    });
    installAtomics<Face>(this.prototype, (self) => usable(self, 'this'), pinMemory);
  }

  constructor(region: Region, size: number) {
    this.#region = region;
    this.#size = size;
  }

  /** Unique in the process, never reused. */
  get id(): number {
    return idOfMemory(own(this));
  }

  /** Bytes that were asked for. */
  get size(): number {
    try {
      return this.#size;
    } catch {
      return own(this) as never; // throws; with a few bytes of bytecode more this is not inlined wherever it stands
    }
  }

  /** Bytes that were asked for. */
  get requestedSize(): number {
    return allocated.sizeOf(own(this));
  }

  /** Bytes that were granted; of memory that is not there any more undefined. */
  get allocatedSize(): number {
    return grantedTo(own(this)) as number;
  }

  /** Bytes from the start of the allocator's region. */
  get offset(): number {
    return allocated.offsetOf(own(this));
  }

  /** For showing and for native code. */
  get address(): bigint {
    const { base } = allocated.regionOf(own(this));
    return base + p.toBigInt(allocated.offsetOf(this));
  }

  get allocator(): AdvancedMemoryAllocator {
    return allocated.regionOf(own(this)).owner as AdvancedMemoryAllocator;
  }

  get label(): string | undefined {
    return labelOf(own(this));
  }

  isValid(): boolean {
    return isUsable(own(this));
  }

  /** Milliseconds since the allocation, of an arena's memory since its last reset; undefined of memory that is not there any more. */
  getAgeMs(): number {
    return ageOf(own(this)) as number;
  }

  fill(value: FillValue, offset: number = 0, length?: number): this {
    const memory = usable(this, 'this');
    const rest = length === undefined ? restOf(memory, offset) : length;
    validateRange(offset, rest, allocated.sizeOf(memory));
    fillOperand(memory, offset, rest, validateFillValue(value));
    return this;
  }

  copyTo(target: NativeMemory | BytesLike, targetOffset: number = 0, offset: number = 0, length?: number): void {
    const memory = usable(this, 'this');
    copyOperand(memory, offset, target, targetOffset, length === undefined ? restOf(memory, offset) : length, 'normal', 8);
  }

  equals(other: NativeMemory | BytesLike): boolean {
    const memory = usable(this, 'this');
    const size = allocated.sizeOf(memory);
    return operandSize(other, 'other') === size && compareOperands(memory, 0, other, 0, size) === 0;
  }

  bytes(offset: number = 0, length?: number): Uint8Array {
    if (offset === 0 && length === undefined) {
      const bytes = allBytes(this);
      if (bytes !== undefined) return bytes;
    }
    const memory = usable(this, 'this');
    return bytesOf(memory, offset, length === undefined ? restOf(memory, offset) : length);
  }

  view<Constructor extends ViewConstructor>(constructor: Constructor, offset: number = 0, length?: number): Constructor['prototype'] {
    const memory = usable(this, 'this');
    const from = (at: number, bytes: number): Place => placeOf(usable(memory, 'this'), at, bytes);
    return typedView(constructor, offset, length, allocated.sizeOf(memory), from) as Constructor['prototype'];
  }

  copyOut(offset: number = 0, length?: number): Buffer {
    return copyOf(usable(this, 'this'), offset, length);
  }

  text(offset: number = 0, length?: number, encoding: BufferEncoding = 'utf8'): string {
    const memory = usable(this, 'this');
    validateEncoding(encoding);
    return decode(copyOf(memory, offset, length), encoding);
  }

  /** Keeps the memory from being freed, and its allocator from being reset or closed, until disposed. */
  pin(): Disposable {
    return pinMemory(usable(this, 'this'));
  }

  lease<Result>(use: (bytes: Uint8Array) => Promise<Result> | Result): Promise<Result> {
    return leased(use, () => usable(this, 'this'), (memory) => bytesOf(memory, 0, allocated.sizeOf(memory)), pinMemory);
  }

  free(): void {
    free(own(this));
  }

  [Symbol.dispose](): void {
    if (isUsable(own(this))) free(this);
  }

  toString(): string {
    return textOf(own(this));
  }
}

/** See the interface of the same name: what scripts have of the class. */
export const AllocatedMemory: Sealed<Face> = sealed<Face, object>(Grant, KIND, 'a call of AdvancedMemoryAllocator.allocate()', {});

export const createMemory: Doors['create'] = doors.create;
export const takeNatively: Doors['takeNatively'] = doors.takeNatively;
/** A grant out of what is lent; when a native call is due, what another function gives. */
export const takeLent: Doors['takeLent'] = doors.takeLent;
/** The same of an arena: off the piece of it that is lent. */
export const cutLent: Doors['cutLent'] = doors.cutLent;
/** Ends a region's grant that needs no native call. False for everything else. */
export const giveBack: Doors['giveBack'] = doors.giveBack;
const course = makeCourse(T, EPOCHS, doors.createGrant, allocated.regionOf, allocated.slotOf, allocated.generationOf);
/** The same two of a ring. */
export const takeNext: Course['takeNext'] = course.takeNext;
export const endPlace: Course['endPlace'] = course.endPlace;
/** What a ring does when it has no next place of the last size. */
export const takeOther = <State extends { readonly region: Region }, Other>(otherwise: (state: State, size: number, label: string | undefined) => Other) =>
  (state: State, size: number, label: string | undefined): Face | Other =>
    (followSize(state.region, size) ? takeNext(state, size, label, otherwise) : otherwise(state, size, label));
/** Views all of a memory in the usual case. */
const { allBytes } = doors;

/** What an access throws that found its memory dead: when it is not, as a second look may tell, that makes it try once more. */
const refusal = (memory: Face): unknown => (isUsable(memory) ? NOT_READY : deadError(memory, false));

/** What `free()` and dispose do, whatever a script made of the methods. */
function free(memory: Face): void {
  const region = allocated.regionOf(memory);
  if (!(region.isRing ? endPlace : giveBack)(memory, region)) freeMemory(memory);
}

p.define(Grant.prototype, inspect.custom, function inspectMemory(this: unknown): string {
  return allocated.isAllocated(this) ? textOf(this) : 'AllocatedMemory {}';
});

/** Refuses a forged `this`. */
function own(memory: Face): Face {
  if (!allocated.isAllocated(memory)) throw errors.invalidArgType('this', KIND, memory);
  return memory;
}
