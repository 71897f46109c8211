// All methods, getters and global classes of the realm are wrapped at once, after load, before the first use: they listen, and pass on.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { DirectMemoryManager as dmm, finish, pinBystanders, refuses, same } from './_expect.mjs';
import { keep, listener, overheard, walk } from './_sweep.mjs';

const { apply, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
const classes = ownKeys(globalThis).filter((key) => /^[A-Z]/.test(String(key)) && typeof getOwnPropertyDescriptor(globalThis, key).value === 'function');
const undo = [];
const types = [...classes.map((key) => globalThis[key]), getPrototypeOf(Uint8Array)];
for (const target of [globalThis, Reflect, Math, JSON, ...types, ...types.map(({ prototype }) => prototype ?? {})]) {
  for (const key of target === globalThis ? classes : ownKeys(target)) {
    const old = getOwnPropertyDescriptor(target, key);
    if (!old.configurable || ['constructor', '__proto__'].includes(key)) continue;
    if (old.get !== undefined) undo.push([target, key, old, { ...old, get: listener(old.get) }]);
    else if (typeof old.value === 'function') undo.push([target, key, old, { ...old, value: keep(listener(old.value), old.value) }]);
  }
}
const unpin = pinBystanders();
const wrapped = undo.filter(([target, key, , fake]) => apply(defineProperty, undefined, [target, key, fake])).length;
const tours = [walk(), walk()];
for (let index = 0; index < undo.length; index += 1) apply(defineProperty, undefined, undo[index].slice(0, 3));
unpin();
same(`${tours} ${overheard()} ${wrapped > 500}`, ',  true', `the tours, what was overheard, and whether ${wrapped} listeners are many`);
refuses('ERR_OUT_OF_RANGE', () => dmm.allocateMemory(0));
finish();
