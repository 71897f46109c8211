// Accessors on Array.prototype for indices: they answer what they are told, and see what is stored through them.
import { types } from 'node:util';

export const COUNT = 100;
const seen = new Set();
const add = seen.add.bind(seen);
const { defineProperty } = Object;
const { isArrayBufferView, isAnyArrayBuffer } = types;

export function install(answer) {
  for (let index = 0; index < COUNT; index += 1) {
    defineProperty(Array.prototype, index, {
      configurable: true,
      get: () => answer,
      set(value) {
        if (typeof value === 'object' && value !== null) add(value);
        defineProperty(this, index, { value, writable: true, enumerable: true, configurable: true });
      },
    });
  }
}

export function remove() {
  for (let index = 0; index < COUNT; index += 1) delete Array.prototype[index];
}

/** What was stored and is none of the users': views, buffers, the holders of them and their places. */
export function hidden() {
  return [...seen].filter((value) => isArrayBufferView(value) || isAnyArrayBuffer(value) || 'weak' in value || 'accessor' in value);
}
