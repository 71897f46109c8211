// The global functions and classes that have to do with time, turns and messages are replaced after load.
// expect: exit=0 code=ERR_OUT_OF_RANGE
import { sweep } from './_sweep.mjs';

const timers = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate', 'queueMicrotask'];
sweep({ globalThis }, { keys: [...timers, 'structuredClone', 'BroadcastChannel', 'MessageChannel', 'MessagePort', 'EventTarget', 'Event', 'MessageEvent'] });
