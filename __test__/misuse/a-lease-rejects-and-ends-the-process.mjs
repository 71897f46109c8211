// A rejected lease that nobody awaits ends the process as any rejection does: exit code 1, no signal.
// expect: exit=1 code=none stderr=nobody listens
import { DirectMemoryManager as dmm, finish } from './_expect.mjs';

const block = dmm.allocateMemory(64);
process.on('exit', () => finish({ live: [block] }));
void block.lease(async () => {
  throw new Error('nobody listens');
});
