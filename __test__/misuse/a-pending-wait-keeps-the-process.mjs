// A wait without a time-out is all that a program has to do: it stays until somebody ends it. With a time-out it stays until then.
// expect: exit=5 code=none
import { DirectMemoryManager as dmm, fail, finish, same } from './_expect.mjs';

const block = dmm.allocateMemory(64, 'word', { zeroed: true });
process.once('beforeExit', () => fail('nothing was left to do'));
same(await block.waitAsync(8, 0, 200), 'timed-out', 'the wait with a time-out'); // else the program would end here, with 13
block.waitAsync(0, 0).finally(() => fail('nobody woke it'));
const timer = setTimeout(() => {
  finish({ live: [block] });
  process.exit(5);
}, 300);
timer.unref(); // it would not come, if the wait did not keep the process
