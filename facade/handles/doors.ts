/**
 * Doors: what of MemoryBlock sees its private fields, and has to be short. Each makes the handle first and then takes what it stands for, with
 * nothing called in between or afterwards: a call can throw where the stack ends, and a block without a handle would be lost.
 * Room: handles (5). May use: primordials, types.
 */
import type { SafeBytes } from '../primordials.js';
import type { Alignment, AllocateOptions } from '../types.js';

/** Those that give a block. */
export interface Taking<Block> {
  /** Allocates. All arguments are checked here. */
  readonly allocateBlock: (size: number, alignment?: Alignment, options?: AllocateOptions) => Block;
  /** A block out of a pool's magazine; when a native call is due, what another function gives. */
  readonly takePooled: <Owner, Other>(pool: Owner, blocks: { readonly magazine: number; readonly blockSize: number }, otherwise: (pool: Owner) => Other) => Block | Other;
  /** A handle of nothing, for {@link takeNatively}. */
  readonly create: (size: number) => Block;
  /** Gives a new handle what a native function takes, which may tell its size too. −1 when that refuses; 0 when it left the block in a magazine, from
   * which to take it now. */
  readonly takeNatively: (handle: Block, take: () => void, tellsSize?: boolean) => number;
}

/** Those that take one. The first three may be given anything: what is no block throws at its first private field. To ask first costs 3 ns. */
export interface Giving<Block> {
  /** Ends a block of no pool that needs no native call, and says 0. Else 1 when {@link freeUnviewed} is due, 2 when `freeViewed` is. */
  giveBack(block: unknown): number;
  /** The same with a block of the pool to which a magazine belongs. */
  giveToPool(block: unknown, magazine: number): boolean;
  /** What `bytesOf` made of a live block that was viewed and has so many bytes; `undefined` for everything else. Throws when given no object. */
  shownWhole(block: object, length: number): SafeBytes | undefined;
  /** The same of one that has such a range. Other arguments as of {@link stageRange}. */
  shownPart(block: object, offset: number, length: number): SafeBytes | undefined;
  /** The slot of a live block that has such a range, −1 for everything else: whether it escaped is not asked. Arguments as of {@link stageRange}. */
  liveSlot(block: unknown, offset: number, length: number): number;
  /** Leaves a range of a live block where a staged native function looks for it, from word `first` on, and gives its slot. −1 for everything else, also
   * for what is wrong: `length` is an integer above 0, and below 2^32. */
  stageRange(block: unknown, first: number, offset: number, length: number): number;
  /** Frees by a native call a block that was never viewed. */
  readonly freeUnviewed: (block: Block) => void;
}
