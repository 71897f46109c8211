// All methods, getters and global classes of the realm are wrapped at once, after load, before the first use: they listen, and pass on.
// expect: exit=0 code=ERR_OUT_OF_RANGE
import { keep, listener, overheard } from './_sweep.mjs';
import { DirectMemoryManager as dmm, finish, pinBystanders, refuses, same } from './_expect.mjs';
import { walk } from './_tour.mjs';

const { apply, defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
const undo = [];
const classes = ownKeys(globalThis).filter((key) => typeof key === 'string' && /^[A-Z]/.test(key) && typeof getOwnPropertyDescriptor(globalThis, key).value === 'function');
const types = classes.map((key) => globalThis[key]);
const targets = [globalThis, Reflect, Math, JSON, Object.getPrototypeOf(Uint8Array), Object.getPrototypeOf(Uint8Array.prototype), ...types, ...types.map(({ prototype }) => prototype)];
const unpin = pinBystanders();
for (const target of targets.filter((each) => each !== undefined)) {
  for (const key of target === globalThis ? classes : ownKeys(target)) {
    const old = getOwnPropertyDescriptor(target, key);
    if (!old.configurable || key === 'constructor' || key === '__proto__') continue;
    if (old.get !== undefined) undo.push([target, key, old, { ...old, get: listener(old.get) }]);
    else if (typeof old.value === 'function') undo.push([target, key, old, { ...old, value: keep(listener(old.value), old.value) }]);
  }
}
const wrapped = undo.filter(([target, key, , fake]) => apply(defineProperty, undefined, [target, key, fake])).length;
const results = [walk(), walk()];
for (let index = 0; index < undo.length; index += 1) defineProperty(undo[index][0], undo[index][1], undo[index][2]);
unpin();
same(`${results} ${overheard()} ${wrapped > 900}`, ',  true', 'the tours, what was overheard, and whether much was wrapped');
refuses('ERR_OUT_OF_RANGE', () => dmm.allocateMemory(0));
finish();
