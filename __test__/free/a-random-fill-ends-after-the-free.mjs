// crypto.randomFill of views, on a thread of its own; the blocks are freed meanwhile: no random byte lands in a new owner.
// expect: exit=0 code=none
import { randomFill } from 'node:crypto';
import { MIB, DirectMemoryManager as dmm, SIZES, finish, statistics, same } from './_free.mjs';
import { called, freeAndCrowd, ownersAreIntact } from './_late.mjs';

for (const size of [...SIZES, MIB, MIB]) {
  const block = dmm.allocateMemory(size).fill(7);
  const filling = called((done) => { randomFill(block.bytes(), done); });
  const owners = freeAndCrowd(block);
  const { error } = await filling;
  same(error ?? null, null, 'an error of randomFill');
  ownersAreIntact(owners);
}
same(statistics().escaped, 0, 'escaped');
finish();
