// Every method of channels, ports and events, and the class of channels, throws before anybody has waited: waits and wakes go on.
// expect: exit=0 code=ERR_OFFHEAP_IN_USE
// message: MemoryBlock … cannot be freed: 3 pins or leases hold it. Dispose of the pins and await the leases and tasks first.
import { createRequire } from 'node:module';
import { DirectMemoryManager as dmm, finish, refuses, same } from './_expect.mjs';

const threads = createRequire(import.meta.url)('node:worker_threads');
const block = dmm.allocateMemory(64).fill(0);
const broken = () => { throw new Error('broken'); };
for (const target of [BroadcastChannel, MessagePort, EventTarget, setTimeout(() => 0, 0).constructor].map(({ prototype }) => prototype)) {
  for (const key of Reflect.ownKeys(target)) if (typeof Reflect.getOwnPropertyDescriptor(target, key).value === 'function' && key !== 'constructor') Reflect.defineProperty(target, key, { value: broken });
}
Reflect.defineProperty(threads, 'BroadcastChannel', { value: broken });
const waits = [block.waitAsync(0, 1), block.waitAsync(0, 0, 5), block.waitAsync(0, 0), block.waitAsync(8, 0n, 60_000), block.waitAsync(0, 0, 0)];
refuses('ERR_OFFHEAP_IN_USE', () => block.free());
same(`${block.notify(8)} ${block.notify(8)}`, '1 0', 'who was woken');
setTimeout(() => same(block.notify(0), 1, 'who still waits'), 300);
same((await Promise.all(waits)).join(), 'not-equal,timed-out,ok,ok,timed-out', 'the outcomes');
block.free();
finish();
