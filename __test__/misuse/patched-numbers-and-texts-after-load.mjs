// Every function of Number, Math, BigInt, String, Date, RegExp, JSON and Error is patched after load: Date.now and Number.isInteger too.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { sweep } from './_sweep.mjs';

sweep({
  Number, 'Number.prototype': Number.prototype, Math, BigInt, 'BigInt.prototype': BigInt.prototype, String, 'String.prototype': String.prototype,
  Date, 'Date.prototype': Date.prototype, 'RegExp.prototype': RegExp.prototype, JSON, Error, 'Error.prototype': Error.prototype,
  'TypeError.prototype': TypeError.prototype, 'RangeError.prototype': RangeError.prototype,
});
