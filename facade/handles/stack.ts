/**
 * Stack: whether enough of it is left for what must not end in the middle. Any call can throw where the stack ends; what has taken something and
 * needs more calls until somebody owns it asks here first.
 * Room: handles (5). May use: primordials.
 */
import * as p from '../primordials.js';

/** A call with so many arguments finds out: they lie on the stack, 8 bytes each. V8 compiles a function at its first call, and again when it has not
 * been called for long, but only where 40 KiB are left (its `kStackSpaceRequiredForCompilation`); what the calls themselves take is some 3 KiB in its
 * interpreter, whose frames are the largest. Asking takes 2 µs. */
const ARGUMENTS = 6144;
/** Made when first needed: 48 KiB. Where the stack ends inside that, it throws what this is about. */
let given: readonly unknown[] | undefined;
const nothing = (): void => undefined;

/** Throws the engine's RangeError when the stack would end within the next calls. Whoever called this may then call what needs no more. */
export function requireStack(): void {
  given ??= p.list(ARGUMENTS);
  p.reflectApply(nothing, undefined, given);
}

export function hasStack(): boolean {
  try {
    requireStack();
    return true;
  } catch {
    return false;
  }
}
