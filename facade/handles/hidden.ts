/**
 * Hidden: one DataView per span over memory that was not handed out. Typed accessors of a block that has no view of its own read
 * through it, so they make no ArrayBuffer. It never leaves this folder, is never moved, and later changes of prototypes do not reach it.
 * Room: handles (5). May use: primordials, native.
 */
import { constants } from 'node:buffer';
import { binding } from '../native.js';
import * as p from '../primordials.js';
import type { SafeBytes, SafeDataView } from '../primordials.js';

/** Where windows begin: at each multiple. A window is twice as long, so that no access is cut by its end. */
const STRIDE = 1073741824;

/** The last place in a span that {@link hiddenView} is read at; above it, `farView`. A small integer, so that comparing costs nothing. */
export const NEAR_MAX = 0x7ffffff0;

/** By span: the first ones in a list of fixed length, which V8 knows as a constant and reads in 1 ns, the others in an index. */
const VIEWS = 1024;
const views: (SafeDataView | undefined)[] = p.list(VIEWS);
const lateViews = p.makeIndex<SafeDataView>();
/** Objects without a prototype: an array would hand a new element to a setter on `Array.prototype`, a Map itself to a patched `get`. */
const windows: { [key: string]: SafeDataView | undefined } = { __proto__: null as never };

function over(span: number, offset: number, length: number): SafeDataView {
  const buffer = binding.spanBuffer(span, offset, length);
  if (buffer === undefined) throw new Error(`span ${span} has no memory`); // only a defect of ours gets here
  return p.dataViewOver(buffer);
}

/** The view over a span, or over as much of it as one ArrayBuffer shows; `undefined` until {@link showSpan}. */
export const hiddenView = (span: number): SafeDataView | undefined => (span < VIEWS ? views[span] : lateViews[span]);

/** The same as bytes, of the first spans; `undefined` until asked for once more. */
const bytes: (SafeBytes | undefined)[] = p.list(VIEWS);
export function hiddenBytes(span: number): SafeBytes | undefined {
  if (span >= VIEWS) return undefined;
  const known = bytes[span];
  if (known !== undefined) return known;
  if (views[span] === undefined) showSpan(span);
  bytes[span] = p.bytesOver((views[span] as SafeDataView).buffer);
  return bytes[span];
}

/** Makes a span's view. */
export function showSpan(span: number): void {
  const view = over(span, 0, p.min(binding.spanSize(span), constants.MAX_LENGTH));
  if (span < VIEWS) views[span] = view;
  else lateViews[span] = view;
}

/** The view over the part of a span in which `at` lies; read it at {@link farOffset}. */
export function farView(span: number, at: number): SafeDataView {
  const index = p.floor(at / STRIDE);
  const key = span * 16777216 + index;
  let view = windows[key];
  if (view === undefined) {
    view = over(span, index * STRIDE, p.min(2 * STRIDE, binding.spanSize(span) - index * STRIDE));
    windows[key] = view;
  }
  return view;
}

export function farOffset(at: number): number {
  return at % STRIDE;
}
