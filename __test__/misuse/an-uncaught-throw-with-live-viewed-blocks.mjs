// An error of ours that nobody catches, while blocks are viewed and pinned: exit code 1, no signal, and the error is told.
// expect: exit=1 code=none stderr=ERR_OFFHEAP_DOUBLE_FREE
import { DirectMemoryManager as dmm, finish } from './_expect.mjs';

const live = Array.from({ length: 200 }, (_, index) => dmm.allocateMemory(index * 99 + 1));
const views = live.flatMap((block) => [block.bytes(), new Uint8Array(block.toArrayBuffer())]);
live[0].pin();
process.on('exit', () => {
  finish({ live });
  views[0][0] = 1;
});
const freed = dmm.allocateMemory(64);
freed.free();
freed.free();
