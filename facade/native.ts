/**
 * Native: loads the addon, once, and says what it offers. The only importer of the generated loader.
 * Room: native (3). May use: primordials, types, format, errors.
 *
 * The raw functions are absent from the generated types (napi-rs does not see them), so their signatures stand here by hand. Those
 * without parameters take them from the isolate's table and leave a status there; see handles/table.ts.
 */
import { fileURLToPath } from 'node:url';
import type * as Generated from '#native';
import { notSupported } from './errors.js';
import * as p from './primordials.js';

/** A slot number; −1 less the number of the arena that granted the operand; or a Uint8Array when it is none of ours. */
export type OperandBase = number | Uint8Array;

/** The raw functions of one isolate. */
export interface RawBinding {
  /** Opens the isolate; `undefined` when memory is refused or external ArrayBuffers are not allowed. */
  open(tableBytes: number, threadId: number, lends: number): ArrayBuffer | undefined;
  allocate(): void;
  noteTaken(): void;
  free(): void;
  freeEscaped(): void;
  markViewed(newHolder?: object): void;
  holderOf(slot: number): object | undefined;
  settle(): void;
  pin(): void;
  unpin(): void;
  prepareReallocation(): void;
  commitReallocation(): void;
  abortReallocation(): void;
  /** What to fill with stands in the table. */
  fill(target: OperandBase, generation: number, offset: number, length: number): void;
  copy(
    target: OperandBase,
    targetGeneration: number,
    targetOffset: number,
    source: OperandBase,
    sourceGeneration: number,
    sourceOffset: number,
    length: number,
    mode: number,
  ): void;
  /** The same four of operands that are no arrays: they, length and detail stand in the table, see crates/offheap-node/src/operations.rs. */
  fillStaged(): void;
  copyStaged(): void;
  compareStaged(): void;
  mismatchStaged(): void;
  compare(a: OperandBase, aGeneration: number, aOffset: number, b: OperandBase, bGeneration: number, bOffset: number, length: number): void;
  mismatch(a: OperandBase, aGeneration: number, aOffset: number, b: OperandBase, bGeneration: number, bOffset: number, length: number): number;
  /** Atomic words: what stands in the table is told at each function in crates/offheap-node/src/atomics.rs. */
  atomic(target: OperandBase, generation: number, offset: number, width: number, operation: number): void;
  wait(target: OperandBase, generation: number, offset: number, width: number): number;
  notify(target: OperandBase, generation: number, offset: number, width: number, count: number): void;
  waitOver(): number;
  giveUpWait(ticket: number): number;
  /** Jobs: arguments and results stand at each function in crates/offheap-node/src/jobs.rs. */
  jobOpen(): void;
  jobHold(job: number, slot: number, generation: number, offset: number, length: number, allocator?: number, life?: number): void;
  jobStart(job: number, operation: number, detail: number, processors: number): void;
  jobProgress(job: number): number;
  jobStop(job: number, waits: number): void;
  jobEnd(job: number): number;
  share(): void;
  attach(): void;
  chunkBuffer(newHolder?: object): ArrayBuffer | undefined;
  windowBuffer(slot: number, generation: number, offset: number, length: number): ArrayBuffer | undefined;
  spanBuffer(span: number, offset: number, length: number): ArrayBuffer | undefined;
  spanSize(span: number): number;
  recordsBuffer(segment: number): ArrayBuffer | undefined;
  addressOf(slot: number): number;
  viewAddress(view: Uint8Array): number;
  bufferAddress(buffer: ArrayBufferLike): number;
  detach(buffer: ArrayBuffer): number;
  isDetached(buffer: ArrayBuffer): number;
  trim(): number;
  isolateNumber(): number;
  /** Allocators: arguments, results and statuses stand at each function in crates/offheap-node/src/allocators.rs. */
  allocatorOpen(nameUtf8: Uint8Array, kind: number, totalBytes: number, alignmentCode: number, overwrite: number): void;
  allocatorAllocate(): void;
  allocatorSettle(): void;
  arenasSettle(): void;
  allocatorFree(): void;
  allocatorPin(): void;
  allocatorUnpin(): void;
  allocatorReset(): void;
  allocatorClose(): void;
  allocatorTrim(): void;
  allocatorMark(): void;
  allocatorRewind(): void;
  allocatorEpochs(): ArrayBuffer | undefined;
  regionBuffer(allocator: number, life: number, offset: number, length: number, seen?: 1): ArrayBuffer | undefined;
  regionLeft(allocator: number, life: number, lost: number): void;
  regionAddress(allocator: number, life: number): number;
  /** Pools: arguments, results and statuses stand at each function in crates/offheap-node/src/pools.rs. */
  poolOpen(
    titleUtf8: Uint8Array,
    blockBytes: number,
    alignmentCode: number,
    zeroed: number,
    label: number,
    idleMax: number,
    limit: number,
    zeroOnRelease: number,
  ): void;
  poolAcquire(): void;
  poolRelease(): void;
  poolGate(): void;
  freeAny(): void;
  poolClear(): void;
  poolClose(): void;
  poolFigure(index: number): number;
  arenaGenerations(allocator: number, life: number): ArrayBuffer | undefined;
}

/** All that the addon exports. */
export type NativeBinding = typeof Generated & RawBinding;

/** What the table layout of this facade is; the addon must have the same. */
const LAYOUT = 4;

/** Where the first copy of the package in an isolate leaves itself; see copies.ts. */
export const COPY_KEY: unique symbol = Symbol.for('offheap.1') as never;

/** True in a second copy: it hands out the first one's classes, and must not load an addon of its own. */
export const isSecondCopy: boolean = Object.hasOwn(globalThis, COPY_KEY);

interface Loaded {
  readonly binding: NativeBinding;
  readonly reason: string | undefined;
}

function load(): Loaded {
  if (isSecondCopy) return absent('another copy of the package is in use');
  let binding: NativeBinding;
  try {
    binding = requireAddon();
  } catch (error) {
    return absent(reasonOf(error));
  }
  const { layout, version } = binding.systemInfo();
  if (layout !== LAYOUT) return absent(`its addon (version ${version}) was built for another version of the package; reinstall it`);
  return { binding, reason: undefined };
}

/**
 * The generated loader finds out what platform this is, which takes 3 ms. So the file that it would find on the common ones is tried
 * first: in a checkout beside us, installed in a package of its own, below ours or beside it. Whatever fails is left to the loader, which explains it.
 */
function requireAddon(): NativeBinding {
  const { platform, arch, env } = process;
  const name = `${platform}-${arch}${platform === 'linux' ? '-gnu' : platform === 'win32' ? '-msvc' : ''}`;
  const isChosen = env['NAPI_RS_NATIVE_LIBRARY_PATH'] !== undefined;
  const ofItsOwn = `offheap-${name}`;
  // Only where npm put us: beside a checkout lies what has nothing to do with it.
  const isInstalled = p.endsWith(import.meta.url, '/node_modules/offheap/dist/index.js');
  for (const folder of isChosen ? [] : ['native', ...(isInstalled ? [`node_modules/${ofItsOwn}`, `../${ofItsOwn}`] : [])]) {
    const addon = openAddon(`../${folder}/offheap.${name}.node`);
    if (addon !== undefined) return addon;
  }
  const require = p.builtinModule('node:module').createRequire(import.meta.url);
  if (!isChosen) {
    try {
      return require(ofItsOwn) as NativeBinding;
    } catch {
      // not there, or not for this machine
    }
  }
  return require('#native') as NativeBinding;
}

/**
 * The addon at a place seen from here. Not by `require()`: that walks over paths letter by letter, so often that V8 compiles how (Node 24), and the compiler
 * costs most of a MiB of resident memory.
 */
function openAddon(path: string): NativeBinding | undefined {
  try {
    const module = { exports: {} };
    process.dlopen(module, fileURLToPath(new URL(path, import.meta.url)));
    return module.exports as NativeBinding;
  } catch {
    return undefined; // not there, or not for this machine
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === 'ERR_DLOPEN_DISABLED') return 'the permission model forbids addons; start Node with --allow-addons';
  return typeof message === 'string' ? message : 'its addon cannot be loaded';
}

/** A binding whose every function explains why it is not there. */
function absent(reason: string): Loaded {
  const refuse = (): never => {
    throw notSupported('offheap', reason);
  };
  return { binding: new Proxy({}, { get: () => refuse }) as NativeBinding, reason };
}

const loaded = load();

export const binding: NativeBinding = loaded.binding;
/** Why the addon is not there; `undefined` when it is. */
export const loadFailure: string | undefined = loaded.reason;

// The addon's exports object is a dictionary to V8: taking a function from it costs 6 ns a call, a module constant nothing.
export const allocateNative: () => void = binding.allocate;
export const freeNative: () => void = binding.free;
export const fillStaged: () => void = binding.fillStaged;
export const copyStaged: () => void = binding.copyStaged;
export const compareStaged: () => void = binding.compareStaged;
export const mismatchStaged: () => void = binding.mismatchStaged;
