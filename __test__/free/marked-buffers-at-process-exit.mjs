// process.exit() with marked buffers, some of blocks that a free was refused: the exit code is the program's own.
// expect: exit=7 code=none
// expect from 24: exit=7 code=ERR_OFFHEAP_IN_USE
import { markAsUntransferable } from 'node:worker_threads';
import { DirectMemoryManager as dmm, NODE, SIZES, check, finish, refuses } from './_free.mjs';

const live = [];
for (const size of SIZES) {
  const block = dmm.allocateMemory(size).fill(7);
  const view = block.bytes();
  markAsUntransferable(view.buffer);
  if (NODE < 24) block.free();
  else {
    refuses('ERR_OFFHEAP_IN_USE', () => block.free(), () => block[Symbol.dispose](), () => dmm.freeMemory(block));
    live.push(block);
  }
  check(view.length === (NODE < 24 ? 0 : size), 'refused, and nothing has changed');
}
finish({ live });
process.exit(7);
