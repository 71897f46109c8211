// process.exit() while blocks are viewed, pinned and leased: the exit code is the program's own.
// expect: exit=7 code=none
import { DirectMemoryManager as dmm, finish } from './_expect.mjs';

const live = Array.from({ length: 200 }, (_, index) => dmm.allocateMemory(index * 99 + 1));
const views = live.flatMap((block) => [block.bytes(), new Uint8Array(block.toArrayBuffer())]);
live[0].pin();
void live[1].lease(() => new Promise(() => {}));
process.on('exit', () => {
  finish({ live });
  views[0][0] = 1;
});
setTimeout(() => process.exit(7), 5);
