// Tampers with every property of the given built-ins, one at a time, while the tour walks: by throwing, by giving nothing, by listening.
// Each walk must go as if nothing had happened, and nothing that is hidden from users may be seen by the listener.
import { types } from 'node:util';
import { DirectMemoryManager as dmm, finish, pinBystanders, tampered } from './_expect.mjs';
import { fail, refuses } from './_refuses.mjs';
import { walk } from './_tour.mjs';

export { walk };

const { apply, construct, ownKeys, getOwnPropertyDescriptor } = Reflect;
const bufferLength = getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength').get;
const { isAnyArrayBuffer, isArrayBuffer, isBigInt64Array, isDataView, isInt32Array, isProxy } = types;
const { hasOwn } = Object;

export const overheard = () => seen;
const breaches = new Set();
let place = '';
let seen = '';

/** No program here makes a DataView, an Int32Array or a BigInt64Array, shows a buffer above 16 KiB, or knows an object with an ArrayBuffer in `buffer`. */
function listen(value) {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || isProxy(value)) return;
  if (isDataView(value) || isInt32Array(value) || isBigInt64Array(value)) seen = 'a hidden view';
  else if (isAnyArrayBuffer(value)) seen = isArrayBuffer(value) && apply(bufferLength, value, []) > 16_384 ? 'a hidden buffer' : seen;
  else if (hasOwn(value, 'buffer') && hasOwn(value, 'accessor')) seen = 'the holder of a block';
}

export function listener(original) {
  return function heard(...args) {
    listen(this);
    for (let index = 0; index < args.length; index += 1) listen(args[index]);
    const result = new.target === undefined ? apply(original, this, args) : construct(original, args, new.target === heard ? original : new.target);
    listen(result);
    return result;
  };
}

function nothing() {}

const MODES = {
  throws: () => () => {
    throw new Error('tampered');
  },
  'gives nothing': () => nothing.bind(undefined), // a fresh one: it gets properties
  listens: listener,
};

function attempt(target, key, descriptor, mode) {
  place = `${mode} ${String(key)}`;
  seen = '';
  let wrong;
  try {
    wrong = tampered(target, key, descriptor, walk);
  } catch (error) {
    wrong = `threw ${error?.code ?? ''} ${error?.message}`;
  }
  dmm.setLimit(null);
  dmm.freeAllMemory();
  return wrong ?? (seen === '' ? undefined : `${seen} was reached`);
}

/** `targets`: name → object. Prints what is wrong, all of it, before it fails. */
export function sweep(targets, { keys, skip = [] } = {}) {
  const unpin = pinBystanders();
  const wrong = walk() ?? walk();
  if (wrong !== undefined) fail(`the tour goes wrong without tampering: ${wrong}`);
  let count = 0;
  for (const [name, target] of Object.entries(targets)) {
    for (const key of keys ?? ownKeys(target)) {
      const { value, get, set, configurable, writable } = getOwnPropertyDescriptor(target, key) ?? {};
      if (configurable === false || skip.includes(key) || (typeof value !== 'function' && get === undefined)) continue;
      for (const [mode, make] of Object.entries(MODES)) {
        count += 1;
        const descriptor = get === undefined ? { value: keep(make(value), value), writable } : { get: make(get), set };
        const breach = attempt(target, key, descriptor, mode);
        if (breach !== undefined) breaches.add(`${name}: ${place}: ${breach}`);
      }
    }
  }
  unpin();
  if (breaches.size > 0 || count === 0) fail(`of ${count} kinds of tampering, ${breaches.size} got through:\n${[...breaches].join('\n')}`);
  refuses('ERR_OUT_OF_RANGE', () => dmm.allocateMemory(0));
  finish();
}

/** A constructor keeps its prototype and statics, so that only the call is tampered with. */
export function keep(fake, original) {
  if (typeof original !== 'function') return fake;
  for (const key of ownKeys(original)) {
    if (key === 'length' || key === 'name' || key === 'arguments' || key === 'caller') continue;
    const own = getOwnPropertyDescriptor(fake, key);
    if (own === undefined || own.configurable || own.writable) Reflect.defineProperty(fake, key, getOwnPropertyDescriptor(original, key));
  }
  return fake;
}
