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
/** The third argument of an allocation of which nothing is asked but zeros. */
export const ZEROED: number = WORD_CODE | ZEROED_BIT;
/** The same, where the block may be taken from a magazine that has some now, and be cleared by who takes it. */
export const ZEROED_HERE: number = ZEROED | (1 << 9);

/** Numbers of labels that were asked for: the native side never gives one another. Past so many labels it is asked each time. */
const LABELS_MAX = 1024;
const labelNumbers: { [label: string]: number | undefined } = { __proto__: null as never };
let labelsKnown = 0;
let lastLabel = '';
let lastNumber = 0;

/** The number by which the native side knows a label, 0 of none. */
export function labelNumber(label: string | undefined): number {
  if (label === undefined || label === '') return 0;
  if (label === lastLabel) return lastNumber;
  const known = labelNumbers[label];
  const number = known === undefined ? binding.internLabel(label) : known;
  if (known === undefined && labelsKnown < LABELS_MAX) {
    labelNumbers[label] = number;
    labelsKnown += 1;
  }
  lastLabel = label;
  lastNumber = number;
  return number;
}

/** Leaves alignment and options in the arguments. Nothing else may use the table in between: a getter of `options` is user code. */
export function stageDetails(alignment: Alignment | undefined, options: AllocateOptions | undefined): void {
  const { mode, log2 } = validateAlignment(alignment);
  const { zeroed, label } = validateAllocateOptions(options);
  T[ARGUMENT + 2] = alignmentCode(mode, log2) | (zeroed ? ZEROED_BIT : 0) | (labelNumber(label) << LABEL_SHIFT);
}

/** Throws when nothing can be allocated in this process, or when the environment is nonsense. */
export function requireAvailable(): void {
  if (unavailableReason !== undefined) throw errors.notSupported('offheap', unavailableReason);
  requireEnvironment();
}
