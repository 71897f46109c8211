// Object.prototype gets properties that descriptors, options, labels and inner objects have, as values and as accessors.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { DirectMemoryManager as dmm, finish, pinBystanders, refuses, same, tampered } from './_expect.mjs';
import { walk } from './_tour.mjs';

const DESCRIPTOR = ['get', 'set', 'value', 'writable', 'enumerable', 'configurable'];
const INNER = ['zeroed', 'label', 'buffer', 'accessor', 'exact', 'windows', 'idle', 'weak', 'generation', 'ms', 'length', 'code', 'error', 'limit', 'reason', 'then', 'name', '0', '1', 'deref', 'url'];
const unpin = pinBystanders();
const results = [];
for (const key of [...DESCRIPTOR, ...INNER]) {
  for (const descriptor of [{ value: () => 1, writable: true }, { value: 1, writable: false }, { get: () => 7, set() {} }]) {
    let wrong;
    try {
      wrong = tampered(Object.prototype, key, Object.assign(Object.create(null), descriptor), walk);
    } catch (error) {
      wrong = error.message;
    }
    dmm.freeAllMemory();
    if (wrong !== undefined) results.push(`${key}: ${wrong}`);
  }
}
unpin();
same(results.join('\n'), '', 'the tours');
refuses('ERR_OUT_OF_RANGE', () => dmm.allocateMemory(0));
finish();
