// What is called: an entry for everything that the package exports. What has none is an error, so that nobody forgets one.
import * as offheap from '../../../dist/index.js';
import { fail } from '../_refuses.mjs';

const PLAIN = ['length', 'name', 'prototype', 'arguments', 'caller'];

/** An entry: `name`; `args`, one maker each; `self`, a maker of what it is called on; `after(result, args, self)` when it did not throw. */
export function entriesOf(face, table, self) {
  const entries = [];
  for (const [key, entry] of Object.entries(table)) entries.push(entryOf(face, key, key, entry, self));
  for (const key of Object.getOwnPropertySymbols(table)) entries.push(entryOf(face, key, `[${key.description}]`, table[key], self));
  return entries;
}

/** Of a genuine object its own way, which may be that of a class below; else that of the class. */
function methodOf(target, face, key) {
  try {
    if (target instanceof face && typeof target[key] === 'function') return target[key];
  } catch {
    // a forged one
  }
  return face.prototype[key];
}

function entryOf(face, key, text, entry, self) {
  const isStatic = entry.isStatic ?? false;
  const holder = isStatic ? face : face.prototype;
  const { get } = Object.getOwnPropertyDescriptor(holder, key) ?? {};
  const call = entry.call ?? (get === undefined
    ? (target, args) => Reflect.apply(isStatic ? face[key] : methodOf(target, face, key), target, args)
    : (target) => Reflect.apply(get, target, []));
  return { args: [], ...entry, face, key, name: `${face.name}.${text}`, self: isStatic ? () => face : (entry.self ?? self), call, done: 0 };
}

/** Every export, static, method, getter and symbol must have an entry, and every entry must be of something that is there. */
export function demandAll(entries, constants) {
  const known = new Set(entries.map(({ face, key, isStatic }) => placeOf(face, key, isStatic)));
  const missing = [];
  for (const [name, value] of Object.entries(offheap)) {
    if (typeof value !== 'function') {
      if (!constants.includes(name)) missing.push(name);
      continue;
    }
    if (value.name !== name) fail(`${name} calls itself ${value.name}`);
    if (!known.has(placeOf(value, 'new', true))) missing.push(`new ${name}()`);
    for (const key of Reflect.ownKeys(value)) if (!PLAIN.includes(key) && typeof value[key] === 'function' && !known.has(placeOf(value, key, true))) missing.push(`${name}.${String(key)}`);
    for (const key of Reflect.ownKeys(value.prototype)) {
      const { value: plain, get } = Object.getOwnPropertyDescriptor(value.prototype, key);
      const isCalled = typeof plain === 'function' || get !== undefined;
      if (key !== 'constructor' && isCalled && !known.has(placeOf(value, key, false))) missing.push(`${name}.prototype.${String(key)}`);
    }
  }
  if (missing.length > 0) fail(`public, and not called by the fuzzer; give it an entry: ${missing.join(', ')}`);
}

const ids = new Map();
function placeOf(face, key, isStatic = false) {
  if (!ids.has(face)) ids.set(face, ids.size);
  return `${ids.get(face)} ${isStatic} ${String(key)}`;
}
