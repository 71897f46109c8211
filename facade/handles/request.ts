/**
 * Request: what a native allocation is asked, beside its size.
 * Room: handles (5). May use: types, errors, options, environment, native, facts, table.
 */
import { requireEnvironment } from '../environment.js';
import * as errors from '../errors.js';
import { binding } from '../native.js';
import { validateAlignment, validateAllocateOptions } from '../options.js';
import type { AllocateOptions, Alignment } from '../types.js';
import { alignmentCode } from './facts.js';
import { ARGUMENT, T, unavailableReason } from './table.js';

/** The default alignment, `'word'`. */
export const WORD_CODE = 33;
/** Beside the alignment's code in the third argument of an allocation. */
const ZEROED_BIT = 1 << 8;
const LABEL_SHIFT = 16;

/** Leaves alignment and options in the arguments. Nothing else may use the table in between: a getter of `options` is user code. */
export function stageDetails(alignment: Alignment | undefined, options: AllocateOptions | undefined): void {
  const { mode, log2 } = validateAlignment(alignment);
  const { zeroed, label } = validateAllocateOptions(options);
  const number = label === undefined || label === '' ? 0 : binding.internLabel(label);
  T[ARGUMENT + 2] = alignmentCode(mode, log2) | (zeroed ? ZEROED_BIT : 0) | (number << LABEL_SHIFT);
}

/** Throws when nothing can be allocated in this process, or when the environment is nonsense. */
export function requireAvailable(): void {
  if (unavailableReason !== undefined) throw errors.notSupported('offheap', unavailableReason);
  requireEnvironment();
}
