// A rejected lease that nobody awaits: the pin is gone when the rejection is reported.
// expect: exit=0 code=none
import { DirectMemoryManager as dmm, finish, same } from './_expect.mjs';

const block = dmm.allocateMemory(64);
process.on('unhandledRejection', (reason) => {
  same(reason.message, 'nobody listens', 'reason');
  block.free();
  finish();
});
void block.lease(async () => {
  throw new Error('nobody listens');
});
