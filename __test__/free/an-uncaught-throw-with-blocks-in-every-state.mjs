// An error that nobody catches, with blocks live, viewed, leased, escaped and just freed: exit code 1, the error is told, no signal.
// expect: exit=1 code=none stderr=thrown by the program
import { DirectMemoryManager as dmm, SIZES, check, finish, isAll, transferAway } from './_free.mjs';

const live = [];
const views = [];
for (const size of SIZES) {
  const [viewed, leased, escaped, freed] = Array.from({ length: 4 }, () => dmm.allocateMemory(size).fill(7));
  views.push(viewed.bytes(), (await transferAway(escaped.toArrayBuffer())).subarray(0, size));
  void leased.lease(() => new Promise(() => {}));
  freed.bytes();
  freed.free();
  escaped.free();
  live.push(viewed, leased);
}
process.on('exit', () => {
  check(views.every((view) => isAll(view, 7)), 'all bytes at exit');
  finish({ live, others: true });
});
setTimeout(() => { throw new Error('thrown by the program'); }, 5);
