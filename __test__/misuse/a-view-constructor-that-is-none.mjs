// Constructors that make no view: other classes, subclasses that would run user code, things that are no functions.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE,ERR_INVALID_ARG_VALUE
// message: The argument 'constructor' must be a TypedArray or DataView constructor. Received function Array
import { runInNewContext } from 'node:vm';
import { DirectMemoryManager as dmm, fail, finish, refuses } from './_expect.mjs';

const block = dmm.allocateMemory(64);
class Mine extends Uint8Array {
  constructor() {
    super(8);
    fail('user code made a view');
  }
}
const lie = Object.defineProperty(() => 8, 'BYTES_PER_ELEMENT', { value: 1 });
const classes = [Array, Object, Buffer, ArrayBuffer, Mine, lie, Object.getPrototypeOf(Uint8Array), function none() {}, runInNewContext('Uint8Array')];
for (const constructor of [...classes, new Proxy(Uint8Array, {})]) refuses('ERR_INVALID_ARG_VALUE', () => block.view(constructor));
for (const constructor of [undefined, null, 'Uint8Array', 8, {}, Uint8Array.prototype, Symbol('x')]) refuses('ERR_INVALID_ARG_TYPE', () => block.view(constructor));
finish({ live: [block] });
