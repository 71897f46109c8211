// Array.prototype gets accessors for indices after load: what is kept in arrays must not pass through them, in or out.
// expect: exit=0 code=ERR_OUT_OF_RANGE
import { types } from 'node:util';
import { DirectMemoryManager as dmm, check, fail, finish, pinBystanders, refuses } from './_expect.mjs';
import { walk } from './_tour.mjs';

const unpin = pinBystanders();
const seen = [];
let gave = 0;
for (let index = 0; index < 100; index += 1) {
  Object.defineProperty(Array.prototype, index, {
    configurable: true,
    get: () => void (gave += 1),
    set(value) {
      if (types.isArrayBufferView(value) || types.isAnyArrayBuffer(value) || typeof value === 'object') seen[seen.length] = value;
      Object.defineProperty(this, index, { value, writable: true, enumerable: true, configurable: true });
    },
  });
}
const wrong = walk() ?? walk();
for (let index = 0; index < 100; index += 1) delete Array.prototype[index];
unpin();
check(wrong === undefined, `the tour: ${wrong}`);
refuses('ERR_OUT_OF_RANGE', () => dmm.allocateMemory(0));
if (seen.some((value) => types.isArrayBufferView(value))) fail(`hidden views were reached: ${seen.filter((value) => types.isArrayBufferView(value)).map(({ byteLength }) => byteLength)}`);
finish();
