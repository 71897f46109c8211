/**
 * Sealed block: MemoryBlock as scripts have it.
 * Room: handles (5). May use: errors, block, handle, operand, sealed, shares, table.
 */
import * as errors from '../errors.js';
import type { Alignment, AllocateOptions, BytesLike, SharedToken } from '../types.js';
import { MemoryBlock, allocateBlock, create, free } from './block.js';
import { fields } from './handle.js';
import { copyOperand, operandSize } from './operand.js';
import { sealed } from './sealed.js';
import type { Sealed } from './sealed.js';
import { attachToken } from './shares.js';
import { RESULT, T, wide } from './table.js';

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
  const block = allocateBlock(size, alignment, options);
  try {
    copyOperand(bytes, 0, block, 0, size, 'normal', 8);
  } catch (error) {
    free(block); // a getter of `options` took the bytes away
    throw error;
  }
  return block;
}

function attach(token: SharedToken): MemoryBlock {
  attachToken(token);
  return create(T[RESULT + 1] as number, T[RESULT + 2] as number, wide(3));
}

export const BlockClass: Sealed<MemoryBlock> & Statics =
  sealed<MemoryBlock, Statics>(MemoryBlock, 'MemoryBlock', 'a call of DirectMemoryManager.allocateMemory()', { from, attach });
