// The classes and modules of Node that waits are made of are patched after load: timers, channels, ports, events.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { createRequire } from 'node:module';
import { sweep } from './_sweep.mjs';

const require = createRequire(import.meta.url);
const timer = setTimeout(() => 0, 0);
const types = [BroadcastChannel, MessagePort, EventTarget, Event, MessageEvent, timer.constructor];
const prototypes = Object.fromEntries(types.map((type) => [`${type.name}.prototype`, type.prototype]));
sweep({ ...prototypes, timers: require('node:timers'), threads: require('node:worker_threads') });
