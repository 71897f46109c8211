// Every method of Array, Array.prototype and its iterators is patched after load.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { sweep } from './_sweep.mjs';

sweep({ 'Array.prototype': Array.prototype, Array, 'array iterators': Object.getPrototypeOf([][Symbol.iterator]()) });
