// Socket writes of leased views while the peer does not read: the free is refused until they are sent, and every byte arrives.
// expect: exit=0 code=ERR_OFFHEAP_IN_USE
import { DirectMemoryManager as dmm, check, crowd, disperse, finish, isAll, same, turn } from './_free.mjs';
import { SECRET, called, openConnection, refusesAnEnd } from './_late.mjs';

const SIZES = [65536, 5000, 70_000, 2 ** 20];
const { sending, receiveAll } = await openConnection();
sending.write(Buffer.alloc(2 ** 20, 1));
const leases = SIZES.map((size, index) => {
  const block = dmm.allocateMemory(size).fill(index + 2);
  const sent = block.lease((bytes) => called((done) => { sending.write(bytes, done); }));
  return { block, freed: sent.then(() => block.free()) };
});
await turn();
for (const { block } of leases) refusesAnEnd(block);
const owners = SIZES.flatMap((size) => crowd(size, { byte: SECRET, count: 20 }));
sending.end();
const received = await receiveAll();
await Promise.all(leases.map(({ freed }) => freed));
same(received.length, SIZES.reduce((sum, size) => sum + size, 2 ** 20), 'bytes received');
let at = 2 ** 20;
for (const [index, size] of SIZES.entries()) {
  check(isAll(received.subarray(at, at + size), index + 2), `the bytes of block ${index}`);
  at += size;
}
disperse(owners, SECRET);
finish();
