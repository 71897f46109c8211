// process.exit() with blocks live, viewed, leased, escaped, dropped and just freed: the exit code is the program's own, 'exit' still reads all.
// expect: exit=7 code=none
import { DirectMemoryManager as dmm, SIZES, check, finish, isAll, transferAway } from './_free.mjs';

const live = [];
const views = [];
for (const size of SIZES) {
  const [plain, viewed, leased, escaped, freed] = Array.from({ length: 5 }, () => dmm.allocateMemory(size).fill(7));
  views.push(viewed.bytes(), new Uint8Array(viewed.toArrayBuffer()), (await transferAway(escaped.toArrayBuffer())).subarray(0, size));
  void leased.lease(() => new Promise(() => {}));
  freed.bytes();
  freed.free();
  escaped.free();
  dmm.allocateMemory(size, 'word', { label: 'dropped' }).bytes();
  live.push(plain, viewed, leased);
}
process.on('exit', () => {
  check(views.every((view) => isAll(view, 7)) && live.every((block) => isAll(block.copyOut(), 7)), 'all bytes at exit');
  finish({ live, others: 'dropped' });
});
setTimeout(() => { process.exit(7); }, 5);
