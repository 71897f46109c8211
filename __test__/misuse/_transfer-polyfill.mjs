// For --import: a transfer that copies. Bound functions read '[native code]' and have no prototype, like the engine's own.
function transfer(length = this.byteLength) {
  const copy = new ArrayBuffer(length);
  new Uint8Array(copy).set(new Uint8Array(this, 0, Math.min(length, this.byteLength)));
  structuredClone(this, { transfer: [this] });
  return copy;
}
const bound = Function.prototype.call.bind(transfer);
const disguised = new Proxy(bound, { apply: (_, self, args) => transfer.apply(self, args) });
Reflect.defineProperty(ArrayBuffer.prototype, 'transfer', { value: disguised, writable: true, configurable: true });
