// Pins, leases, waits and operations off the main thread that begin where the stack ends: none stays on its memory.
// expect: exit=0 code=ERR_OFFHEAP_IN_USE stderr=Exception in PromiseRejectCallback
import { AdvancedMemoryAllocator, DirectMemoryManager as dmm, MemoryPool, finish, refuses, same } from './_expect.mjs';
import { atTheEndOfTheStack } from './_stack.mjs';
const deep = () => deep() + 1;
const arena = AdvancedMemoryAllocator.getInstance('pins', 'arena', 1_048_576);
const buddy = AdvancedMemoryAllocator.getInstance('more pins', 'buddy', 1_048_576);
for (const memory of [dmm.allocateMemory(300_000), arena.allocate(200_000), buddy.allocate(200_000)]) {
  const begun = [memory.lease(() => new Promise((resolve) => { setTimeout(resolve, 1); }))];
  atTheEndOfTheStack(() => void begun.push(memory.lease(deep), memory.lease(() => 1))); // V8 has yet to compile what drops a pin
  const pins = atTheEndOfTheStack(() => memory.pin());
  refuses('ERR_OFFHEAP_IN_USE', () => memory.free());
  atTheEndOfTheStack(() => void pins.at(-1)?.[Symbol.dispose]());
  for (const pin of pins) pin[Symbol.dispose]();
  atTheEndOfTheStack(() => void begun.push(dmm.fillAsync(memory, 0, memory.size, 7), memory.waitAsync(0, 1), memory.waitAsync(0, 0, 5)));
  await Promise.allSettled(begun);
  same(memory.isValid(), true, 'the memory');
  memory.free();
}
const pool = new MemoryPool(64, 'word', 4, { limit: 10 });
const acquired = [];
atTheEndOfTheStack(() => void acquired.push(pool.acquireAsync({ timeoutMs: 2000 }).then((block) => block.free())));
await Promise.allSettled(acquired);
same(pool.getStats().inUse, 0, 'blocks of the pool in use');
for (const opened of [arena, buddy, pool]) opened.close();
finish();
