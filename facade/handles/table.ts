/**
 * Table: the words that JavaScript and Rust share. One Int32Array per isolate carries the arguments and results of native calls; the
 * segments of records tell, without a call, whether a handle is live and where its memory is.
 * Room: handles (5). May use: primordials, types, format, errors, options, environment, native.
 */
import { environment } from '../environment.js';
import * as errors from '../errors.js';
import { binding, loadFailure } from '../native.js';
import * as p from '../primordials.js';

/** The clock: 0 while a native call has to be made. */
export const CLOCK = 1;
/** First of the words in which a native call leaves its results: status, then values, then figures. */
export const RESULT = 8;
/** First of the words in which a native call finds its arguments. */
export const ARGUMENT = 16;
/** First of the two words, from {@link ARGUMENT}, for the levels of staged operands that an arena granted. */
export const STAGED_LEVELS = 14;

export const TWO_32 = 4294967296;
const SEGMENT_BITS = 16;
const SEGMENT_MASK = 0xffff;
/** Words from a record's state to its place: one column of 65,536 words of 64 bits. */
const PLACE = 2 << SEGMENT_BITS;
/** A generation is the upper 29 bits of the state, hence of the state's upper half. */
const GENERATION_SHIFT = 3;
/** Pins are the upper 16 bits of the state's lower half. */
const PINS_SHIFT = 16;
/** The flag of a lent record, in the state's lower half. */
const LENT = 64;
const SPAN_SHIFT = 12;
/** Bytes of a chunk of each class, the smallest first (crates/offheap-core/src/alloc/chunks/classes.rs). */
export const CLASS_SIZES: readonly number[] = grantedSizes();

/** Bytes of each class's chunks, four classes a doubling; a class is 8 bits of a record's place. */
function grantedSizes(): number[] {
  const sizes = p.list<number>(256);
  for (let kind = 0; kind < 256; kind += 1) {
    sizes[kind] = kind < 8 ? (kind + 1) * 16 : 2 * (sizes[kind - 4] as number);
  }
  return sizes as number[];
}
/** Slots are below this; an id is `slot + (generation >> 1) · SLOTS`. */
const SLOTS = 16777216;

interface Opened {
  readonly words: Int32Array;
  readonly reason: string | undefined;
}

function open(): Opened {
  const none = new Int32Array(64);
  if (loadFailure !== undefined) return { words: none, reason: loadFailure };
  const buffer = binding.open(environment.tableBytes, threadNumber, environment.frontend ? 1 : 0);
  if (buffer === undefined) return { words: none, reason: 'this runtime does not allow ArrayBuffers over native memory, or has none left' };
  if (environment.limit !== null) binding.setEnvironmentLimit(environment.limit);
  return { words: p.int32Over(buffer, 0, p.arrayBufferByteLength(buffer) / 4), reason: undefined };
}

/** Node's id of this thread. The process's first thread is 0, known without loading a module, which would take 2 ms at start-up. */
function threadId(): number {
  if (loadFailure !== undefined) return 0;
  if (binding.systemInfo().mainThread) return 0;
  return p.builtinModule('node:worker_threads').threadId;
}

const threadNumber = threadId();
/** Whether this isolate is a worker's, which may end before the process does. */
export const isWorker: boolean = threadNumber !== 0;

const opened = open();

/** The isolate's table. A module constant on purpose: reached through a field it costs 4 ns more. */
export const T: Int32Array = opened.words;
/** Why nothing can be allocated in this process; `undefined` when it can. */
export const unavailableReason: string | undefined = opened.reason;

const noRecords = new Int32Array(0);

/** The first 65,536 records, as 32-bit halves of their words. A module constant too: V8 then knows its address and length. */
const FIRST: Int32Array = recordsOf(0);
/** The later segments, as far as they were looked at. */
const segments: (Int32Array | undefined)[] = p.list(SLOTS >>> SEGMENT_BITS);
segments[0] = FIRST;

function recordsOf(segment: number): Int32Array {
  const buffer = opened.reason === undefined ? binding.recordsBuffer(segment) : undefined;
  return buffer === undefined ? noRecords : p.int32Over(buffer, 0, p.arrayBufferByteLength(buffer) / 4);
}

/** The segment of a record that is not in the first one. */
function segmentOf(slot: number): Int32Array {
  const known = segments[slot >>> SEGMENT_BITS];
  if (known !== undefined) return known;
  const words = recordsOf(slot >>> SEGMENT_BITS);
  if (words !== noRecords) segments[slot >>> SEGMENT_BITS] = words;
  return words;
}

/** A half word of a record; `index` as in the first record. */
function farWord(slot: number, index: number): number {
  return segmentOf(slot)[index + ((slot & SEGMENT_MASK) << 1)] as number;
}

/** First of the words about single slots, four each: crates/offheap-core/src/tracker/isolate.rs. */
export const FRONT = 131072;
/** So many slots have such words. */
const FRONT_SLOTS: number = p.max(0, (p.typedArrayLength(T) - FRONT) >>> 2);

/** Whether the table says that a slot's owner is this one: of every live block of this isolate, and of grants that are lent to it. */
export const isLent = (slot: number, generation: number): boolean => slot < FRONT_SLOTS && T[FRONT + (slot << 2)] === generation;

/** Whether a block of this isolate is live in this generation. */
export const isLive = (slot: number, generation: number): boolean =>
  slot < FRONT_SLOTS ? T[FRONT + (slot << 2)] === generation : isRecordLive(slot, generation);

/** Notes that a block was written to. */
export const noteWritten = (slot: number): void => {
  if (slot < FRONT_SLOTS) T[FRONT + (slot << 2) + 3] = 1;
};

/** Whether this generation of a record is live. */
export const isRecordLive = (slot: number, generation: number): boolean => {
  const upper = slot <= SEGMENT_MASK ? (FIRST[(slot << 1) + 1] as number) : farWord(slot, 1);
  return upper >>> GENERATION_SHIFT === generation;
};

/**
 * The same of a grant that is neither lent nor live at the first look. When another thread recalls it the record speaks before the table's words
 * change, but a machine that reorders loads may have shown the record from before and the words from after.
 */
export function isRecalled(slot: number, generation: number): boolean {
  if (slot < FRONT_SLOTS) p.loadOrdered(T, FRONT + (slot << 2));
  return isRecordLive(slot, generation);
}

/** The flag of a record that stands for one more holder of memory, in the state's lower half. */
const ALIAS = 16384;

/** Whether a record's memory has another record too, by which it is handed out. */
export const isAlias = (slot: number): boolean => ((slot <= SEGMENT_MASK ? (FIRST[slot << 1] as number) : farWord(slot, 0)) & ALIAS) !== 0;

/** Pins on a live record. A lent one has none: the table that it is lent to stands in their place. */
export const pinsOf = (slot: number): number => {
  const lower = slot <= SEGMENT_MASK ? (FIRST[slot << 1] as number) : farWord(slot, 0);
  return (lower & LENT) === 0 ? lower >>> PINS_SHIFT : 0;
};

/** First of 65,536 words of the table: to which generation of each slot of the first segment a buffer was handed last. */
const HANDED = 65536;

/** Notes that a kept buffer is about to be handed to this owner of a chunk. Before, not after: a worker may be terminated in between. */
export const noteHanded = (slot: number, generation: number): void => {
  if (slot <= SEGMENT_MASK) T[HANDED + slot] = generation;
  else handFar(slot, generation);
};

function handFar(slot: number, generation: number): void {
  setHandle(slot, generation);
  binding.markViewed();
}

/** Whether a buffer was handed to this owner; `isMarked`: what its record tells. */
export function wasViewed(slot: number, generation: number, isMarked: boolean): boolean {
  return isMarked || (slot <= SEGMENT_MASK && T[HANDED + slot] === generation);
}

/** Words from a record's state to its origin, whose lower 24 bits say who holds it: two bits which kind, the rest a number. */
const ORIGIN = 6 << SEGMENT_BITS;
const POOL_KIND = 1;
const OWNER_KIND_SHIFT = 22;

/** The number of the pool that a record's last owner has it from; −1 when it is of no pool. */
export const poolNumberOf = (slot: number): number => {
  const owner = (slot <= SEGMENT_MASK ? (FIRST[(slot << 1) + ORIGIN] as number) : farWord(slot, ORIGIN)) & 0xffffff;
  return owner >>> OWNER_KIND_SHIFT === POOL_KIND ? owner & 0x3fffff : -1;
};

/** The span that a record's memory lies in. */
export const spanOf = (slot: number): number => {
  const upper = slot <= SEGMENT_MASK ? (FIRST[(slot << 1) + (PLACE + 1)] as number) : farWord(slot, PLACE + 1);
  return upper >>> SPAN_SHIFT;
};

/** Where a record's memory begins in its span, bytes, below 2^30. */
export const offsetOf = (slot: number): number => (slot <= SEGMENT_MASK ? (FIRST[(slot << 1) + PLACE] as number) : farWord(slot, PLACE));

/** What was granted to a record's memory, bytes: the size of its class (crates/offheap-core/src/alloc/chunks/classes.rs). */
export const grantedOf = (slot: number): number => {
  const kind = (slot <= SEGMENT_MASK ? (FIRST[(slot << 1) + (PLACE + 1)] as number) : farWord(slot, PLACE + 1)) & 0xff;
  return CLASS_SIZES[kind] as number;
};

export function addressOf(slot: number): bigint {
  return p.toBigInt(binding.addressOf(slot));
}

/** The public id of a handle. */
export function idOf(slot: number, generation: number): number {
  return slot + (generation >>> 1) * SLOTS;
}

/** Leaves a handle where the bare native functions look for it. */
export function setHandle(slot: number, generation: number): void {
  T[ARGUMENT] = slot;
  T[ARGUMENT + 1] = generation;
}

/** Leaves a number below 2^53 in two argument words. */
export function setWide(index: number, value: number): void {
  T[ARGUMENT + index] = value; // the lower 32 bits, as ToInt32 takes them
  T[ARGUMENT + index + 1] = value > 0x7fffffff ? p.floor(value / TWO_32) : 0;
}

/** The table's first words, two at a time. */
const WIDE: BigInt64Array = p.bigInt64Over(p.typedArrayBuffer(T), 0, 16);

/** Leaves a number where a native call looks for it, which takes it modulo 2^32 or, of a bigint, 2^64. `index` is even. */
export function stageWord(index: number, value: number | bigint): void {
  if (typeof value === 'bigint') WIDE[index / 2] = value;
  else T[index] = value;
}

/** Two words as a signed number of 64 bits. `index` is even. */
export function wideWord(index: number): bigint {
  return WIDE[index / 2] as bigint;
}

/** Status of the last native call: 0, or the number of an error code. */
export function status(): number {
  return T[RESULT] as number;
}

/** A figure of the last refusal: 4 what was asked, 6 what was possible. */
export function figure(index: number): number {
  return wide(index);
}

/** Two result words as one number. */
export function wide(index: number): number {
  const low = T[RESULT + index] as number;
  return low >= 0 && T[RESULT + index + 1] === 0 ? low : wider(index); // stays a small integer
}

/** Apart from it, so that V8 inlines the usual case. */
function wider(index: number): number {
  return ((T[RESULT + index] as number) >>> 0) + ((T[RESULT + index + 1] as number) >>> 0) * TWO_32;
}

/** A time of the native clock, ms, as handles keep it: beyond all ticks of the table's clock, which they keep as they are. */
export const NATIVE_TIME = 1099511627776;

/** When the last native free happened, as handles keep it. */
export function resultTime(): number {
  return ((T[RESULT + 1] as number) >>> 0) + (T[RESULT + 2] as number) * TWO_32 + NATIVE_TIME;
}

/** The error of the last native call, about a handle and what was to be done with it ("freed"). */
export function failure(kind: string, id: number, action: string): Error {
  const code = errors.ERROR_CODES[status() - 1];
  const requested = figure(4);
  const available = figure(6);
  switch (code) {
    case 'ERR_OFFHEAP_OUT_OF_MEMORY':
      return errors.outOfMemory(requested, available);
    case 'ERR_OFFHEAP_LIMIT':
      return errors.limitReached(requested, available, binding.limit());
    case 'ERR_OFFHEAP_DOUBLE_FREE':
      return errors.doubleFree(kind, id);
    case 'ERR_OFFHEAP_USE_AFTER_FREE':
      return errors.useAfterFree(kind, id);
    case 'ERR_OFFHEAP_IN_USE':
      return errors.inUse(kind, id, action, available);
    case 'ERR_OFFHEAP_WRONG_THREAD':
      return errors.wrongThread(kind, id);
    case 'ERR_OFFHEAP_FOREIGN_BLOCK':
      return errors.foreignBlock(kind, id, 'another owner', 'this one');
    case 'ERR_OFFHEAP_NOT_SUPPORTED':
      return errors.notSupported('A view', 'this runtime allows no ArrayBuffers over native memory');
    case 'ERR_OUT_OF_RANGE':
      return errors.outOfRange('length', `<= ${available}`, requested);
    default:
      return errors.corrupted(kind, id, `it cannot be ${action} (${code ?? 'no status'})`);
  }
}
