/**
 * Epochs: words that all isolates share, and that say what became of each allocator.
 * Room: handles (5). May use: primordials, errors, native, table.
 */
import * as errors from '../errors.js';
import { binding } from '../native.js';
import * as p from '../primordials.js';
import { unavailableReason } from './table.js';

/** Four words for each allocator of the process: its life (odd while open), how often it was reset, nothing, and its turn: how often one of
 * these changed, or what was lent of it was recalled. A module constant: V8 then knows its address and length. */
export const EPOCHS: Int32Array = epochWords();

/** Four words for each of 65,536 allocators. */
const EPOCH_BYTES = 1048576;

function epochWords(): Int32Array {
  const buffer = unavailableReason === undefined ? binding.allocatorEpochs() : undefined;
  return buffer === undefined ? new Int32Array(0) : p.int32Over(buffer, 0, p.arrayBufferByteLength(buffer) / 4);
}

/** Throws when the words were refused as the package was loaded: an allocator could be opened, and nobody would know when it ends. */
export function requireEpochs(): void {
  if (p.typedArrayLength(EPOCHS) === 0) throw errors.outOfMemory(EPOCH_BYTES);
}

/** How often an allocator was reset so far. */
export const resetsOf = (number: number): number => EPOCHS[4 * number + 1] as number;
