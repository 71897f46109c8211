// fs.readv from a pipe into views of three blocks; two are freed, then the bytes come: the third has its own, no new owner has any.
// expect: exit=0 code=none
import { readv, writeSync } from 'node:fs';
import { DirectMemoryManager as dmm, SIZES, check, finish, isAll, same } from './_free.mjs';
import { called, freeAndCrowd, openFifo, ownersAreIntact } from './_late.mjs';

const { descriptor, close } = openFifo();
for (const size of SIZES.filter((each) => each <= 5000)) {
  const [first, kept, last] = [0, 1, 2].map(() => dmm.allocateMemory(size).fill(7));
  const reading = called((done) => { readv(descriptor, [first.bytes(), kept.bytes(), last.bytes()], null, done); });
  const owners = [freeAndCrowd(first), freeAndCrowd(last)];
  writeSync(descriptor, Buffer.alloc(3 * size, 9));
  const { error, results: [count] } = await reading;
  same(`${error} ${count}`, `null ${3 * size}`, 'what fs.readv gave');
  check(isAll(kept.bytes(), 9), 'the block that was not freed has its bytes');
  kept.free();
  for (const each of owners) ownersAreIntact(each);
}
close();
finish();
