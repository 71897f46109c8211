// Every function of Buffer, Buffer.prototype, node:util, its ESM bindings too, is patched after load.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { Buffer } from 'node:buffer';
import { syncBuiltinESMExports } from 'node:module';
import util from 'node:util';
import { sweep } from './_sweep.mjs';

const { inspect, types } = util;
util.inspect = () => 'tampered';
util.types = { isUint8Array: () => true, isArrayBuffer: () => true, isAnyArrayBuffer: () => true, isProxy: () => true };
syncBuiltinESMExports();
try {
  sweep({ Buffer, 'Buffer.prototype': Buffer.prototype, types });
} finally {
  Object.assign(util, { inspect, types });
}
