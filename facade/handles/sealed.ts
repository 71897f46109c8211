/**
 * Sealed: classes whose objects only this package makes.
 * Room: handles (5). May use: primordials, errors.
 */
import * as errors from '../errors.js';
import * as p from '../primordials.js';

/** What scripts have of a sealed class: `instanceof`, no `new`. */
// oxlint-disable-next-line typescript/no-unsafe-function-type -- it has no signature, and is no more than that
export interface Sealed<Made> extends Function {
  readonly prototype: Made;
}

/**
 * The face of a class for scripts: it has the name, the class's prototype and `statics`, is what `constructor` says, and refuses to be called.
 * `makers` says what to call instead. The class behind it cannot be reached, so that its constructor need not ask who calls: V8 inlines an
 * allocation only as long as it is short.
 */
export function sealed<Made extends object, Statics extends object>(
  inner: { readonly prototype: Made },
  name: string,
  makers: string,
  statics: Statics,
): Sealed<Made> & Statics {
  const face = function (...given: unknown[]): never {
    throw errors.invalidArgType('new.target', makers, given[0]);
  };
  p.define(face, 'name', name);
  for (const key of p.keys(statics)) p.define(face, key, statics[key as keyof Statics]);
  p.defineProperty(face, 'prototype', { __proto__: null, value: inner.prototype, writable: false } as PropertyDescriptor);
  p.define(inner.prototype, 'constructor', face);
  return face as unknown as Sealed<Made> & Statics;
}
