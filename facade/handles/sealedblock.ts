/**
 * Sealed block: MemoryBlock as scripts have it.
 * Room: handles (5). May use: errors, block, handle, operand, sealed.
 */
import * as errors from '../errors.js';
import type { Alignment, AllocateOptions, BytesLike } from '../types.js';
import { MemoryBlock, allocateBlock, free } from './block.js';
import { fields } from './handle.js';
import { copyOperand, operandSize } from './operand.js';
import { sealed } from './sealed.js';
import type { Sealed } from './sealed.js';

/** What the class has beside its prototype. */
interface Statics {
  /** A copy of bytes off the JavaScript heap. Throws as `allocateMemory`; empty bytes are out of range. */
  readonly from: (bytes: BytesLike, alignment?: Alignment, options?: AllocateOptions) => MemoryBlock;
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

export const BlockClass: Sealed<MemoryBlock> & Statics =
  sealed<MemoryBlock, Statics>(MemoryBlock, 'MemoryBlock', 'a call of DirectMemoryManager.allocateMemory()', { from });
