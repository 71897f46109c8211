// The global functions and classes that have to do with time, turns and messages are replaced after load.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { sweep } from './_sweep.mjs';

const timers = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate', 'queueMicrotask'];
sweep({ globalThis }, { keys: [...timers, 'structuredClone', 'BroadcastChannel', 'MessageChannel', 'MessagePort', 'EventTarget', 'Event', 'MessageEvent'] });
