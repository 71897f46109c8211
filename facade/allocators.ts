/**
 * Allocators: AdvancedMemoryAllocator, a named region of native memory that one of six strategies cuts.
 * Room: allocators (8). May use: everything below.
 */
import { inspect } from 'node:util';
import * as errors from './errors.js';
import { formatAllocator } from './format.js';
import { allocated, freeInRegion, freeMemory, idOfMemory, isUsable } from './handles/grant.js';
import { alignmentCode } from './handles/facts.js';
import { Region, checkEscape, endRegion, isCurrent, isOpen, isStuck, isUnchanged, leaveRegion, renewed } from './handles/region.js';
import type { Ending } from './handles/region.js';
import { apart } from './handles/apart.js';
import { cutLent, endPlace, giveBack, takeLent, takeNext, takeOther } from './handles/allocated.js';
import { requireEpochs, resetsOf } from './handles/epochs.js';
import { granted, isSmallSize } from './handles/loans.js';
import { Mark, fieldsOf, isMark } from './handles/mark.js';
import { labelNumber, requireAvailable } from './handles/request.js';
import { ARGUMENT, RESULT, T, isWorker, setWide, status, unavailableReason, wide } from './handles/table.js';
import { binding } from './native.js';
import { validateAlignment, validateAllocatorOptions, validateAllocatorType, validateLabel, validateName, validateSize } from './options.js';
import * as p from './primordials.js';
import { KIND, failureOf, fullError, openError, requireArena } from './refusals.js';
import type { Settings } from './refusals.js';
import { allocatorStats, numberOf } from './stats.js';
import type { AdvancedMemoryAllocator as Face, AllocatedMemory, Alignment, AllocatorOptions, AllocatorStats, AllocatorType, ArenaMark } from './types.js';

const KEY: unique symbol = Symbol('offheap.allocator');

/** This isolate's allocators, by number. */
const known = p.makeIndex<AdvancedMemoryAllocator>();
let stateIn: (allocator: AdvancedMemoryAllocator) => State;

/** Out of line, as all refusals here: V8 inlines what is short. */
function refuseThis(value: unknown): never {
  throw errors.invalidArgType('this', KIND, value);
}

/** What an allocator object knows; the methods take it from `this` once and then use functions. */
interface State {
  readonly settings: Settings;
  region: Region;
}

/** See the interface of the same name. */
export class AdvancedMemoryAllocator implements Face {
  readonly #state: State;

  static {
    stateIn = (allocator) => {
      try {
        return allocator.#state; // throws for whatever is no allocator: asking first costs 5 ns
      } catch {
        return refuseThis(allocator);
      }
    };
  }

  protected constructor(key: symbol, settings: Settings, number: number, life: number) {
    if (key !== KEY) throw errors.invalidArgType('new.target', 'a call of AdvancedMemoryAllocator.getInstance()', key);
    this.#state = { settings, region: begin(this, settings, number, life) };
  }

  /** The allocator of a name, made at the first call. One per name and process, workers included: other parameters under the same name are
   * `ERR_OFFHEAP_CONFIG_MISMATCH`. `totalSize` counts against the limit until it is closed. */
  static getInstance(
    name: string,
    type: AllocatorType,
    totalSize: number,
    alignment?: Alignment,
    options?: AllocatorOptions,
  ): Face {
    validateName(name);
    const kind = validateAllocatorType(type);
    validateSize(totalSize, 'totalSize');
    const checked = validateAlignment(alignment);
    const { overflow } = validateAllocatorOptions(options);
    requireAvailable();
    requireEpochs();
    if (overflow === 'overwrite-oldest' && kind !== 'ring') {
      throw errors.invalidArgValue('options.overflow', overflow, "must be 'error' for every type but 'ring'");
    }
    const settings = { name, type: kind, totalSize, alignment: checked, overflow };
    const code = alignmentCode(checked.mode, checked.log2);
    binding.allocatorOpen(p.utf8(name), numberOf(kind), totalSize, code, overflow === 'error' ? 0 : 1);
    if (status() !== 0) throw openError(settings);
    const number = T[RESULT + 1] as number;
    const life = T[RESULT + 2] as number;
    let allocator = known[number];
    if (allocator === undefined || stateOf(allocator).region.life !== life) {
      if (allocator !== undefined) leaveRegion(stateOf(allocator).region); // closed by another thread, or long since here
      const Kind = kind === 'arena' ? Arena : kind === 'ring' ? Ring : AdvancedMemoryAllocator;
      allocator = new Kind(KEY, settings, number, life);
      known[number] = allocator;
    }
    return allocator;
  }

  get name(): string {
    return stateOf(this).settings.name;
  }

  get type(): AllocatorType {
    return stateOf(this).settings.type;
  }

  get totalSize(): number {
    return stateOf(this).settings.totalSize;
  }

  /** As it was first asked in this isolate. */
  get alignment(): Alignment {
    return stateOf(this).settings.alignment.value;
  }

  allocate(size: number, label?: string): AllocatedMemory {
    return takeLent(stateOf(this), size, label, allocateNatively);
  }

  tryAllocate(size: number): AllocatedMemory | null {
    return takeLent(stateOf(this), size, undefined, grant);
  }

  free(memory: AllocatedMemory): void {
    const state = stateOf(this);
    if (!giveBack(memory, state.region)) freeNatively(state, memory);
  }

  reset(): void {
    const state = stateOf(this);
    finish(state, 'reset');
    state.region = renewed(state.region);
  }

  close(): void {
    close(stateOf(this));
  }

  trim(): number {
    const { region } = current(this);
    if (checkEscape(region)) return 0; // its pages are somebody else's to read
    setAllocator(region);
    binding.allocatorTrim();
    if (status() !== 0) throw failureOf(stateOf(this), 'trimmed');
    return wide(1);
  }

  getStats(): AllocatorStats {
    const state = stateOf(this);
    const { settings, region } = state;
    const stats = isOpen(region) ? allocatorStats(settings.name, settings.type, region.number, region.life) : undefined;
    if (stats === undefined) throw closedError(state);
    return stats;
  }

  mark(): ArenaMark {
    const state = current(this);
    const { region, settings } = state;
    requireArena(settings.type, 'mark()');
    setAllocator(region);
    binding.allocatorMark();
    if (status() !== 0) throw failureOf(state, 'marked');
    return new Mark(region, T[RESULT + 1] as number, wide(2));
  }

  rewind(mark: ArenaMark): void {
    const state = current(this);
    const { region, settings } = state;
    requireArena(settings.type, 'rewind()');
    if (!isMark(mark)) throw errors.invalidArgType('mark', 'ArenaMark', mark);
    const fields = fieldsOf(mark);
    if (fields.region !== region) throw errors.invalidArgValue('mark', mark, 'must be of this arena, and taken since its last reset');
    setAllocator(region);
    T[ARGUMENT + 2] = fields.level;
    setWide(3, fields.serial);
    binding.allocatorRewind();
    if (status() !== 0) throw failureOf(state, 'rewound');
  }

  [Symbol.dispose](): void {
    close(stateOf(this));
  }

  toString(): string {
    return toText(this);
  }
}

// A worker's end leaves every region: what it has not sent away nobody sees any more.
if (isWorker && unavailableReason === undefined) {
  process.on('exit', () => {
    for (const number in known) leaveRegion(stateOf(known[number] as AdvancedMemoryAllocator).region);
  });
}

/** A class that names itself, as this one in `getInstance`, gets another name from a bundler. */
p.define(AdvancedMemoryAllocator, 'name', 'AdvancedMemoryAllocator');

/** A constant, which V8 folds. */
const stateOf = stateIn;

/** A ring, of which places are lent in its order. A class of its own, as an arena is one: the loops of a program that uses several types are then
 * compiled for one way to allocate each. */
class Ring extends AdvancedMemoryAllocator {
  static {
    p.define(this.prototype, 'constructor', AdvancedMemoryAllocator);
  }

  // oxlint-disable-next-line no-useless-constructor -- the one that Node 20 makes by itself asks Array.prototype for an iterator
  constructor(key: symbol, settings: Settings, number: number, life: number) {
    super(key, settings, number, life);
  }

  override allocate(size: number, label?: string): AllocatedMemory {
    return takeNext(stateOf(this), size, label, allocateOther);
  }

  override tryAllocate(size: number): AllocatedMemory | null {
    return takeNext(stateOf(this), size, undefined, tryOther);
  }

  override free(memory: AllocatedMemory): void {
    const state = stateOf(this);
    if (!endPlace(memory, state.region)) apart(freeNatively, state, memory, undefined);
  }
}

/** An arena, a piece of which is lent; its frees are native calls. */
class Arena extends AdvancedMemoryAllocator {
  static {
    p.define(this.prototype, 'constructor', AdvancedMemoryAllocator);
  }

  // oxlint-disable-next-line no-useless-constructor -- as in a ring
  constructor(key: symbol, settings: Settings, number: number, life: number) {
    super(key, settings, number, life);
  }

  override allocate(size: number, label?: string): AllocatedMemory {
    return cutLent(stateOf(this), size, label, allocateNatively);
  }

  override tryAllocate(size: number): AllocatedMemory | null {
    return cutLent(stateOf(this), size, undefined, grant);
  }

  override free(memory: AllocatedMemory): void {
    freeNatively(stateOf(this), memory);
  }
}

p.define(AdvancedMemoryAllocator.prototype, inspect.custom, function inspectAllocator(this: unknown): string {
  try {
    return toText(this as AdvancedMemoryAllocator);
  } catch {
    return `${KIND} {}`;
  }
});

function toText(allocator: AdvancedMemoryAllocator): string {
  const { settings, region } = stateOf(allocator);
  return formatAllocator({ name: settings.name, type: settings.type, totalSize: settings.totalSize, open: isOpen(region) });
}

/** The region of an allocator that this isolate has just met. */
function begin(owner: AdvancedMemoryAllocator, settings: Settings, number: number, life: number): Region {
  let levels: Int32Array | undefined;
  if (settings.type === 'arena') {
    const buffer = binding.arenaGenerations(number, life);
    if (buffer === undefined) throw errors.closed(KIND, settings.name);
    levels = p.int32Over(buffer, 0, p.arrayBufferByteLength(buffer) / 4);
  }
  const base = binding.regionAddress(number, life);
  const region = new Region(owner, number, life, resetsOf(number), settings.totalSize, p.toBigInt(base), levels);
  region.overwrites = settings.overflow === 'overwrite-oldest';
  region.isRing = settings.type === 'ring';
  region.isPlain = levels === undefined && !region.overwrites;
  return region;
}

/** The state of an open allocator; a reset by another thread is noticed here. */
function current(allocator: AdvancedMemoryAllocator): State {
  const state = stateOf(allocator);
  const { region } = state;
  if (isCurrent(region)) return state;
  if (!isOpen(region)) throw closedError(state);
  checkEscape(region);
  if (region.ending === undefined) endRegion(region, 'reset'); // another thread did it
  state.region = renewed(region);
  return state;
}

const setAllocator = (region: Region): void => {
  T[ARGUMENT] = region.number;
  T[ARGUMENT + 1] = region.life;
};

/** Leaves a request without a label where the native function looks for it. */
const stageRequest = (region: Region, size: number): void => {
  setAllocator(region);
  T[ARGUMENT + 2] = size;
  T[ARGUMENT + 3] = 0;
  T[ARGUMENT + 4] = 0;
};

/** The usual case by itself, so that V8 inlines it. */
function allocateNatively(state: State, size: number, label: string | undefined): AllocatedMemory {
  const { region } = state;
  if (label !== undefined || !(isUnchanged(region) || isCurrent(region)) || !isSmallSize(size)) return allocateSlowly(state, size, label);
  stageRequest(region, size);
  const memory = granted(region, size);
  if (memory === undefined) throw failureOf(state, 'allocated', size);
  return memory;
}

const allocateOther = takeOther<State, AllocatedMemory>(allocateNatively);
const tryOther = takeOther<State, AllocatedMemory | null>(grant);

function freeNatively(state: State, memory: AllocatedMemory): void {
  if (allocated.stageFree(memory, state.region)) {
    freeInRegion();
    if (T[RESULT] === 0) return;
  }
  freeSlowly(state, memory);
}

/** What `allocate` does when something is unusual. */
function allocateSlowly(state: State, size: number, label: string | undefined): AllocatedMemory {
  const memory = grant(state, size, label);
  if (memory === null) throw fullError(state.settings.name, size);
  return memory;
}

/** What `free` does when something is unusual, or was refused. */
function freeSlowly(state: State, memory: AllocatedMemory): void {
  const { region, settings } = state;
  if (!allocated.isAllocated(memory)) throw errors.invalidArgType('memory', 'AllocatedMemory', memory);
  if (!isOpen(region)) throw closedError(state);
  const theirs = allocated.regionOf(memory);
  if ((theirs.number !== region.number || theirs.life !== region.life) && isUsable(memory)) {
    throw errors.foreignBlock('AllocatedMemory', idOfMemory(memory), `${KIND} '${theirs.owner.name}'`, `${KIND} '${settings.name}'`);
  }
  freeMemory(memory);
}

/** Allocates; null when there is no room now, whose figures are still in the results. */
function grant(state: State, size: number, label: string | undefined): AllocatedMemory | null {
  validateSize(size);
  if (label !== undefined) validateLabel(label);
  if (!isCurrent(state.region)) current(state.region.owner as AdvancedMemoryAllocator);
  const { region } = state;
  // Nothing native asks for the label of an arena's allocation, which has no row.
  T[ARGUMENT + 4] = region.levels === undefined ? labelNumber(label) : 0;
  setAllocator(region);
  setWide(2, size);
  const memory = granted(region, size, label === '' ? undefined : label);
  if (memory !== undefined) return memory;
  if (errors.ERROR_CODES[status() - 1] === 'ERR_OFFHEAP_REGION_FULL') return null;
  throw failureOf(state, 'allocated', size);
}

/** Resets or closes: whatever can refuse does so before anything has changed. */
function finish(state: State, ending: Ending): void {
  const { region, settings } = state;
  if (!isOpen(region)) throw closedError(state);
  const action = ending === 'reset' ? 'reset' : 'closed';
  if (isStuck(region)) throw errors.inUse(KIND, settings.name, `${action} (its ArrayBuffer was marked as untransferable)`);
  setAllocator(region);
  if (ending === 'reset') binding.allocatorReset();
  else binding.allocatorClose();
  if (status() !== 0) throw failureOf(state, action);
  if (ending === 'reset') endRegion(region, ending);
  else leaveRegion(region);
}

/** What `close()` and dispose do, whatever a script made of the methods. */
function close(state: State): void {
  if (isOpen(state.region)) finish(state, 'closed');
  else leaveRegion(state.region); // another thread closed it
}

/** When another thread closed it, its views here end at the call that finds out: its region may be another allocator's by then. */
function closedError({ region, settings }: State): Error {
  leaveRegion(region);
  return errors.closed(KIND, settings.name);
}
