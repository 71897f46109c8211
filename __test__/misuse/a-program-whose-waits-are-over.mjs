// A program whose waits are all over, each in another way, and that others woke, ends by itself: no timer and no channel keeps it.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "offset" is out of range. It must be >= 0 && <= 60. Received 64
import { DirectMemoryManager as dmm, finish, rejects, same } from './_expect.mjs';

const block = dmm.allocateMemory(64, 'word', { zeroed: true });
for (let round = 0; round < 3; round += 1) {
  const waits = [block.waitAsync(0, 0), block.waitAsync(0, 0, 60_000), block.waitAsync(8, 0n, 2 ** 31 - 1), block.waitAsync(8, 1n), block.waitAsync(16, 0, 1), block.waitAsync(16, 0, 0)];
  await rejects('ERR_OUT_OF_RANGE', () => block.waitAsync(64, 0));
  same(block.notify(0) + block.notify(8), 3, 'woken');
  same((await Promise.all(waits)).join(), 'ok,ok,ok,not-equal,timed-out,timed-out', 'outcomes');
}
block.free();
finish();
process.exitCode = 70; // and once more, after nothing else is left to do
process.once('beforeExit', () => {
  process.exitCode = 0;
});
