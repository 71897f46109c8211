// Promise.prototype.then and Promise are patched, leases give thenables of all kinds: each pin is dropped, once.
// expect: exit=0 code=ERR_OFFHEAP_IN_USE
// message: MemoryBlock … cannot be freed: 4 pins or leases hold it. Dispose of the pins and await the leases and tasks first.
/* oxlint-disable unicorn/no-thenable -- these are the misuse */
import { DirectMemoryManager as dmm, finish, refuses, rejects, tampered } from './_expect.mjs';

const block = dmm.allocateMemory(64);
const thenables = [
  { then: (resolve) => { resolve(1); resolve(2); } },
  { then: (_, reject) => { reject(1); reject(2); } },
  { then() { throw new Error('x'); } },
  { get then() { throw new Error('x'); } },
  { get then() { block.free(); return undefined; } },
];
for (const thenable of thenables) await block.lease(() => thenable).catch(() => 0);
const keep = [];
for (const key of ['then', 'catch', 'finally']) {
  tampered(Promise.prototype, key, { value: () => { throw new Error('patched'); } }, () => keep.push(block.lease(() => 1)));
}
tampered(globalThis, 'Promise', { value: function nothing() {} }, () => keep.push(block.lease(async () => 1)));
refuses('ERR_OFFHEAP_IN_USE', () => block.free());
await Promise.all(keep);
await rejects('ERR_OFFHEAP_IN_USE', () => block.lease(() => block[Symbol.dispose]()));
block.free();
finish();
