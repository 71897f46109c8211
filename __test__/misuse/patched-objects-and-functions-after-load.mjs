// Every method of Object, Reflect, Function.prototype and Symbol is patched after load.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { sweep } from './_sweep.mjs';

const skip = ['__proto__', 'caller', 'arguments'];
sweep({ Object, 'Object.prototype': Object.prototype, Reflect, 'Function.prototype': Function.prototype, Symbol, 'Symbol.prototype': Symbol.prototype }, { skip });
