// For --import and for later: everything that a free could be tricked with lies, and remembers the buffers that it is shown.
const { defineProperty } = Reflect;
export const stolen = [];

function thief(original) {
  return function stealing(...args) {
    stolen.push(this, ...args);
    return typeof original === 'function' ? Reflect.apply(original, this, args) : undefined;
  };
}

/** Replaces what code that ends buffers may use; `transfer` and lengths first. */
export function install() {
  for (const name of ['transfer', 'transferToFixedLength', 'slice', 'resize']) {
    const original = ArrayBuffer.prototype[name];
    if (original !== undefined) defineProperty(ArrayBuffer.prototype, name, { value: thief(original), configurable: true, writable: true });
  }
  const lengthOf = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength').get;
  defineProperty(ArrayBuffer.prototype, 'byteLength', { get: thief(lengthOf), configurable: true });
  defineProperty(ArrayBuffer.prototype, 'detached', { get: () => true, configurable: true });
  const clone = globalThis.structuredClone;
  defineProperty(globalThis, 'structuredClone', { value: thief(clone), configurable: true, writable: true });
  defineProperty(WeakRef.prototype, 'deref', { value: thief(WeakRef.prototype.deref), configurable: true, writable: true });
  defineProperty(FinalizationRegistry.prototype, 'register', { value: thief(FinalizationRegistry.prototype.register), configurable: true, writable: true });
}
