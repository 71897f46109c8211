// Every method and getter of DataView, the typed arrays, ArrayBuffer and SharedArrayBuffer is patched after load.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { sweep } from './_sweep.mjs';

const TypedArray = Object.getPrototypeOf(Uint8Array);
sweep({
  'DataView.prototype': DataView.prototype,
  '%TypedArray%.prototype': TypedArray.prototype,
  '%TypedArray%': TypedArray,
  'Uint8Array.prototype': Uint8Array.prototype,
  'Int32Array.prototype': Int32Array.prototype,
  'Float64Array.prototype': Float64Array.prototype,
  'ArrayBuffer.prototype': ArrayBuffer.prototype,
  ArrayBuffer,
  'SharedArrayBuffer.prototype': SharedArrayBuffer.prototype,
});
