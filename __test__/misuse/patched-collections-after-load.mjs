// Every method of Map, Set, WeakMap, WeakSet, WeakRef, FinalizationRegistry, Promise and the iterators of Map and Set is patched after load.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { sweep } from './_sweep.mjs';

const prototypes = [Map, Set, WeakMap, WeakSet, WeakRef, FinalizationRegistry, Promise].map((type) => [`${type.name}.prototype`, type.prototype]);
const iterators = [new Map(), new Set()].map((each) => [`iterator of ${each}`, Object.getPrototypeOf(each[Symbol.iterator]())]);
sweep({ ...Object.fromEntries([...prototypes, ...iterators]), Promise });
