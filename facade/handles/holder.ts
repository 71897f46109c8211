/**
 * Holder: the ArrayBuffers over one chunk, and how they die. On free a buffer is *moved* (`transfer`): every view of it has length 0
 * from then on, and the new buffer over the same memory waits with the chunk for its next owner, which makes a view six times cheaper
 * than a new buffer. Where the engine has no `transfer` (Node 20), a buffer is detached natively and each owner gets a new one.
 * Room: handles (5). May use: primordials, errors, native, table.
 */
import { constants } from 'node:buffer';
import { binding } from '../native.js';
import * as p from '../primordials.js';
import type { SafeBytes, SafeDataView } from '../primordials.js';
import { NEAR_MAX } from './hidden.js';
import { ARGUMENT, T, isAlias, noteHanded, setHandle, status } from './table.js';

const { MAX_LENGTH } = constants;
const transfer = movesMemory() ? p.arrayBufferTransfer : undefined;

interface Windows {
  count: number;
  [index: number]: Window;
}

/** A buffer over `[offset, offset + length)` of a chunk. */
interface Window {
  readonly offset: number;
  readonly length: number;
  readonly buffer: ArrayBuffer;
}

/** What one chunk shows to JavaScript. A live block's handle alone holds it, so that a dropped handle can be noticed. */
export class Holder {
  /** Over the whole chunk; undefined while there is none (Node 20 between owners; chunks above what one buffer holds). */
  buffer: ArrayBuffer | undefined = undefined;
  /** Of a block that was attached: its buffers end with it, for its record may next stand for another holder elsewhere. */
  isBorrowed: boolean = false;
  /** The only buffer is `buffer`, and no offset in it is far: an access that it refuses tells of an escape, none need be asked before. */
  isWhole: boolean = true;
  /** What the checked accessors of a whole one read through: made when first needed, then with each further owner's first view. */
  accessor: SafeDataView | undefined = undefined;
  wantsAccessor: boolean = false;
  /** Over exactly the block's bytes, see {@link bytesOf}. */
  bytes: SafeBytes | undefined = undefined;
  /** How often they were asked for and not there. */
  asked: number = 0;
  /** The same for one that is not whole. */
  partAccessor: SafeDataView | undefined = undefined;
  /** Over exactly the block's size, when that is not the chunk's. */
  exact: ArrayBuffer | undefined = undefined;
  /** Over parts of a chunk that one buffer cannot hold. */
  windows: Windows | undefined = undefined;
}

const PAGE_BITS = 12;
const PAGE_MASK = (1 << PAGE_BITS) - 1;
/** Holders of idle chunks, by slot. While a block is live only its handle has its holder, so that a dropped handle can be noticed.
 * Made when the first is kept: 32 KiB. */
let pages: ((Holder | undefined)[] | undefined)[] | undefined;

/** Whether the engine's `transfer` moves memory and detaches, as the native side sees it; a polyfill would copy. */
function movesMemory(): boolean {
  if (p.arrayBufferTransfer === undefined) return false;
  try {
    const probe = new ArrayBuffer(64);
    const address = binding.bufferAddress(probe);
    const moved = p.arrayBufferTransfer(probe);
    return binding.isDetached(probe) === 1 && p.arrayBufferByteLength(probe) === 0 && binding.bufferAddress(moved) === address;
  } catch {
    return false;
  }
}

/** Whether a buffer that we made lost its memory to somebody else. */
export function isDetached(buffer: ArrayBuffer): boolean {
  return p.arrayBufferByteLength(buffer) === 0;
}

/** Whether any buffer of a live block was transferred away, and its memory with it. */
export function hasEscaped(holder: Holder): boolean {
  const { buffer, exact, windows } = holder;
  if (buffer !== undefined && isDetached(buffer)) return true;
  if (exact !== undefined && isDetached(exact)) return true;
  if (windows === undefined) return false;
  for (let index = 0; index < windows.count; index += 1) {
    if (isDetached((windows[index] as Window).buffer)) return true;
  }
  return false;
}

/** Users get moved buffers only: an original that a user marks as untransferable aborts Node 24 and later at exit. */
export function movedOnce(buffer: ArrayBuffer): ArrayBuffer {
  return transfer === undefined ? buffer : transfer(buffer);
}

/** The holder for a live block's first view. `undefined` when the native side refuses; its status says why. */
export function holderFor(slot: number, generation: number, granted: number): Holder | undefined {
  const page = pages?.[slot >>> PAGE_BITS];
  const idle = page === undefined ? undefined : page[slot & PAGE_MASK];
  if (page === undefined || idle === undefined) return filled(new Holder(), slot, generation, granted, true);
  noteHanded(slot, generation);
  page[slot & PAGE_MASK] = undefined;
  if (idle.buffer === undefined) return filled(idle, slot, generation, granted, false);
  if (granted > NEAR_MAX) divide(idle);
  if (idle.wantsAccessor) giveAccessor(idle);
  return idle;
}

/** Gives a whole holder what the checked accessors read through. */
export function giveAccessor(holder: Holder): void {
  holder.wantsAccessor = true;
  if (holder.isWhole && holder.buffer !== undefined) holder.accessor = p.dataViewOver(holder.buffer);
}

/** To make bytes takes as long as three native calls: they are made for who asks so often. */
const ASKED_MIN = 4;

/** The bytes of a live block of `size` bytes, of which a whole holder's only buffer shows more; none of them when that was transferred away.
 * `undefined` while they were not asked for often enough, and of a holder that is not whole. */
export const bytesOf = (holder: Holder, size: number): SafeBytes | undefined => holder.bytes ?? makeBytes(holder, size);

function makeBytes(holder: Holder, size: number): SafeBytes | undefined {
  holder.asked += 1;
  if (holder.asked < ASKED_MIN || !holder.isWhole || holder.buffer === undefined || isDetached(holder.buffer)) return undefined;
  holder.bytes = p.bytesOver(holder.buffer, 0, size);
  return holder.bytes;
}

/** {@link hasEscaped}, at once for who asks often. */
export const isAway = (holder: Holder, size: number): boolean => {
  const bytes = bytesOf(holder, size);
  return bytes === undefined ? hasEscaped(holder) : bytes.length === 0;
};

function forget(holder: Holder): void {
  holder.accessor = undefined;
  holder.bytes = undefined;
  holder.asked = 0;
}

/** From now on there is more than one buffer to ask, or none over the whole, or one with far offsets. */
function divide(holder: Holder): void {
  holder.isWhole = false;
  forget(holder);
}

/** Gives a holder the buffer over its chunk. A new holder is told to the native side, which then knows when it is gone. */
function filled(holder: Holder, slot: number, generation: number, granted: number, isNew: boolean): Holder | undefined {
  const told = isNew ? holder : undefined;
  if (granted > NEAR_MAX) divide(holder);
  holder.isBorrowed = isAlias(slot);
  setHandle(slot, generation);
  if (granted > MAX_LENGTH) {
    binding.markViewed(told);
    return status() === 0 ? holder : undefined;
  }
  T[ARGUMENT + 2] = transfer === undefined || holder.isBorrowed ? 0 : 1;
  const buffer = binding.chunkBuffer(told);
  if (buffer === undefined) return undefined;
  holder.buffer = movedOnce(buffer);
  if (holder.wantsAccessor) giveAccessor(holder);
  return holder;
}

/** The holder of a live, viewed block whose handle is not at hand; `undefined` when the handle is gone. */
export function liveHolder(slot: number): Holder | undefined {
  return binding.holderOf(slot) as Holder | undefined;
}

/** A new buffer over a part of a live, viewed block; `undefined` when the native side refuses. */
function partOf(slot: number, generation: number, offset: number, length: number): ArrayBuffer | undefined {
  const buffer = binding.windowBuffer(slot, generation, offset, length);
  return buffer === undefined ? undefined : movedOnce(buffer);
}

/** The buffer over exactly the block's `size` bytes. `undefined` when the native side refuses. */
export function exactOf(holder: Holder, slot: number, generation: number, size: number): ArrayBuffer | undefined {
  if (holder.exact === undefined) {
    divide(holder);
    holder.exact = partOf(slot, generation, 0, size);
  }
  return holder.exact;
}

/** The buffer over exactly a part, of a chunk that one buffer cannot hold. */
export function windowOf(holder: Holder, slot: number, generation: number, offset: number, length: number): ArrayBuffer | undefined {
  const windows = (holder.windows ??= { __proto__: null, count: 0 } as unknown as Windows);
  for (let index = 0; index < windows.count; index += 1) {
    const window = windows[index] as Window;
    if (window.offset === offset && window.length === length) return window.buffer;
  }
  const buffer = partOf(slot, generation, offset, length);
  if (buffer !== undefined) {
    windows[windows.count] = { offset, length, buffer };
    windows.count += 1;
  }
  return buffer;
}

/** What became of a holder's buffers when they were to die. */
export type Outcome = 'dead' | 'escaped' | 'stuck';

/**
 * Kills every view of a chunk. `'escaped'`: one of the buffers is with somebody else, so the memory must stay. `'stuck'`: the user
 * marked one as untransferable, and it is still attached: nothing may be freed.
 */
export function killViews(holder: Holder): Outcome {
  const { buffer } = holder;
  if (!holder.isWhole || buffer === undefined || transfer === undefined || holder.isBorrowed) return killAll(holder);
  forget(holder);
  const moved = tryTransfer(transfer, buffer);
  if (moved === undefined) return isDetached(buffer) ? 'escaped' : 'stuck';
  holder.buffer = moved;
  return 'dead';
}

/** The same for any holder. */
function killAll(holder: Holder): Outcome {
  if ((holder.exact !== undefined || holder.windows !== undefined) && isAnyMarked(holder)) return 'stuck'; // before any of them dies
  forget(holder);
  holder.partAccessor = undefined;
  let outcome: Outcome = 'dead';
  if (holder.exact !== undefined) {
    outcome = endBuffer(holder.exact);
    if (outcome === 'stuck') return outcome;
    if (outcome === 'dead') holder.exact = undefined; // an escape must not be forgotten, should the free be refused below
  }
  if (holder.windows !== undefined) {
    for (let index = 0; index < holder.windows.count; index += 1) {
      const ended = endBuffer((holder.windows[index] as Window).buffer);
      if (ended === 'stuck') return ended;
      if (ended === 'escaped') outcome = ended;
    }
    holder.windows = undefined;
  }
  const { buffer } = holder;
  if (buffer === undefined) return outcome;
  if (isDetached(buffer)) return 'escaped'; // and stays so
  if (transfer === undefined || holder.isBorrowed) {
    if (endBuffer(buffer) !== 'dead' || !isDetached(buffer)) return 'stuck';
    holder.buffer = undefined;
    return outcome;
  }
  const moved = tryTransfer(transfer, buffer);
  if (moved === undefined) return 'stuck';
  holder.buffer = moved;
  return outcome;
}

/** From this Node version on, a buffer that a user marked refuses to be detached. */
const MARKED_SINCE = 24;
const nodeMajor = parseInt(process.versions.node, 10);
let isMarked: ((buffer: ArrayBuffer) => boolean) | undefined;

/** Whether a buffer cannot be detached because a user marked it. */
export function isMarkedBuffer(buffer: ArrayBuffer): boolean {
  if (transfer === undefined || nodeMajor < MARKED_SINCE) return false;
  isMarked ??= (p.builtinModule('node:worker_threads') as unknown as { isMarkedAsUntransferable(value: unknown): boolean })
    .isMarkedAsUntransferable;
  return isMarked(buffer);
}

/** Whether one of several buffers cannot be detached. Nobody asks for a single one: to try it harms no other. */
function isAnyMarked(holder: Holder): boolean {
  if (holder.buffer !== undefined && isMarkedBuffer(holder.buffer)) return true;
  if (holder.exact !== undefined && isMarkedBuffer(holder.exact)) return true;
  const { windows } = holder;
  if (windows === undefined) return false;
  for (let index = 0; index < windows.count; index += 1) if (isMarkedBuffer((windows[index] as Window).buffer)) return true;
  return false;
}

function tryTransfer(move: NonNullable<typeof transfer>, buffer: ArrayBuffer, length?: number): ArrayBuffer | undefined {
  try {
    const moved = length === undefined ? move(buffer) : move(buffer, length);
    return isDetached(buffer) ? moved : undefined; // Bun may leave a pinned one attached, and says nothing
  } catch {
    return undefined;
  }
}

/** Ends a buffer that is kept: the memory is another one's from now on. `undefined`: see {@link endBuffer}. */
export function movedAgain(buffer: ArrayBuffer): ArrayBuffer | undefined {
  return transfer === undefined || isDetached(buffer) ? undefined : tryTransfer(transfer, buffer);
}

/** Ends a buffer that is not kept. */
export function endBuffer(buffer: ArrayBuffer): Outcome {
  if (isDetached(buffer)) return 'escaped';
  if (transfer === undefined) return binding.detach(buffer) === 1 ? 'dead' : 'stuck';
  return tryTransfer(transfer, buffer, 0) === undefined ? 'stuck' : 'dead';
}

/** Keeps a freed chunk's holder for its next owner in this isolate. */
export function keepIdle(slot: number, holder: Holder): void {
  if (holder.isBorrowed) return;
  holder.isWhole = true;
  pages ??= p.list(1 << (24 - PAGE_BITS));
  let page = pages[slot >>> PAGE_BITS];
  if (page === undefined) {
    page = p.list(1 << PAGE_BITS);
    pages[slot >>> PAGE_BITS] = page;
  }
  page[slot & PAGE_MASK] = holder;
}
