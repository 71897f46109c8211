// A program that simply ends while blocks are viewed, escaped, pinned, and their handles are gone.
// expect: exit=0 code=none
// node: --expose-gc
import { DirectMemoryManager as dmm, finish, transferAway } from './_expect.mjs';

const live = Array.from({ length: 50 }, (_, index) => dmm.allocateMemory(index * 99 + 1));
globalThis.views = live.flatMap((block) => [block.bytes(), new Uint8Array(block.toArrayBuffer())]);
const escapee = dmm.allocateMemory(128);
globalThis.theirs = await transferAway(escapee.bytes().buffer);
escapee.free();
live[0].pin();
finish({ live, escaped: 128 });
for (let index = 0; index < 50; index += 1) dmm.allocateMemory(1000 + index).bytes()[0] = 1; // dropped, handle and view
globalThis.gc();
await new Promise((resolve) => { setTimeout(resolve, 20); });
globalThis.gc();
