// Every global constructor is replaced after load.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { sweep } from './_sweep.mjs';

const keys = Reflect.ownKeys(globalThis).filter((key) => typeof key === 'string' && /^[A-Z]/.test(key) && key !== 'SuppressedError');
sweep({ globalThis }, { keys: keys.filter((key) => typeof Reflect.getOwnPropertyDescriptor(globalThis, key).value === 'function') });
