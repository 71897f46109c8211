// Every method of Array, Array.prototype and its iterators is patched after load.
// expect: exit=0 code=ERR_OUT_OF_RANGE
import { sweep } from './_sweep.mjs';

sweep({ 'Array.prototype': Array.prototype, Array, 'array iterators': Object.getPrototypeOf([][Symbol.iterator]()) });
