// Globals are deleted after load, and what an error number would find on Object.prototype is planted there: the tour goes on.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { DirectMemoryManager as dmm, finish, pinBystanders, refuses, same, tampered } from './_expect.mjs';
import { walk } from './_tour.mjs';

const unpin = pinBystanders();
const { Reflect: R } = globalThis;
const names = R.ownKeys(globalThis).filter((key) => typeof key === 'string' && R.getOwnPropertyDescriptor(globalThis, key).configurable);
const wrong = [];
for (let index = 0; index < names.length; index += 1) {
  if (['process', 'globalThis', 'SuppressedError'].includes(names[index])) continue;
  const found = tampered(globalThis, names[index], { value: undefined }, walk);
  if (found !== undefined) wrong.push(`${names[index]}: ${found}`);
}
for (const key of ['-1', '0', 'undefined', 'NaN']) if (tampered(Object.prototype, key, { value: 'ERR_OUT_OF_RANGE', writable: true }, walk) !== undefined) wrong.push(key);
unpin();
same(wrong.join('\n'), '', 'what went wrong');
refuses('ERR_OUT_OF_RANGE', () => dmm.allocateMemory(0));
finish();
