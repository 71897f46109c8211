/**
 * Sealed block: MemoryBlock as scripts have it.
 * Room: handles (5). May use: primordials, types, errors, native and this folder.
 */
import { inspect } from 'node:util';
import * as errors from '../errors.js';
import type { Alignment, AllocateOptions, BytesLike, SharedToken } from '../types.js';
import { binding } from '../native.js';
import * as p from '../primordials.js';
import { MemoryBlock, allocateBlock, create, free, takeNatively } from './block.js';
import { fields } from './handle.js';
import { copyOperand, operandSize } from './operand.js';
import { sealed } from './sealed.js';
import type { Sealed } from './sealed.js';
import { spentError, stageToken } from './shares.js';
import { isLive } from './table.js';
import { toText } from './told.js';

/** What the class has beside its prototype. */
interface Statics {
  /** A copy of bytes off the JavaScript heap. Throws as `allocateMemory`; empty bytes are out of range. */
  readonly from: (bytes: BytesLike, alignment?: Alignment, options?: AllocateOptions) => MemoryBlock;
  /** Another handle of a block that was shared: the same bytes, without a copy. Free it too: the memory stays until every holder has. A token
   * that was attached before, was forged, or whose thread has ended is TypeError `ERR_INVALID_ARG_VALUE`. */
  readonly attach: (token: SharedToken) => MemoryBlock;
}

function from(bytes: BytesLike, alignment?: Alignment, options?: AllocateOptions): MemoryBlock {
  if (fields.isHandle(bytes)) throw errors.invalidArgType('bytes', ['ArrayBufferView', 'ArrayBuffer'], bytes);
  const size = operandSize(bytes, 'bytes');
  if (unfilled !== undefined) freeUnfilled(unfilled);
  const block = allocateBlock(size, alignment, options);
  try {
    copyOperand(bytes, 0, block, 0, size, 'normal', 8);
  } catch (error) {
    unfilled = block; // a getter of `options` took the bytes away, or the stack ends here
    freeUnfilled(block);
    throw error;
  }
  return block;
}

/** A block that got no bytes, and could not be freed where the stack ended. */
let unfilled: MemoryBlock | undefined;

function freeUnfilled(block: MemoryBlock): void {
  if (isLive(fields.slotOf(block), fields.generationOf(block))) free(block); // freeAllMemory() may have been quicker
  unfilled = undefined;
}

function attach(token: SharedToken): MemoryBlock {
  stageToken(token);
  const block = create(0);
  if (takeNatively(block, binding.attach, true) < 0) throw spentError(token);
  return block;
}

export const BlockClass: Sealed<MemoryBlock> & Statics =
  sealed<MemoryBlock, Statics>(MemoryBlock, 'MemoryBlock', 'a call of DirectMemoryManager.allocateMemory()', { from, attach });

p.define(MemoryBlock.prototype, inspect.custom, function inspectBlock(this: unknown): string {
  return fields.isHandle(this) ? toText(this as MemoryBlock) : 'MemoryBlock {}';
});
