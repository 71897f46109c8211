// A socket whose peer does not read is given a view larger than what the system takes; the block is freed while the rest waits: what is sent
// then is the block's own bytes or zeros, never a byte of a new owner.
// expect: exit=0 code=none
import { MIB, DirectMemoryManager as dmm, check, finish, turn } from './_free.mjs';
import { SECRET, called, freeAndCrowd, openConnection, ownersAreIntact } from './_late.mjs';

for (const size of [MIB, 1_500_000, 3 * MIB]) {
  const { sending, receiveAll } = await openConnection();
  sending.on('error', () => {}); // memory that has gone may be refused: it must not be sent
  const block = dmm.allocateMemory(size).fill(7);
  const written = called((done) => { sending.write(block.bytes(), done); });
  await turn();
  check(sending.writableNeedDrain, 'the write waits');
  const owners = freeAndCrowd(block);
  sending.end();
  const received = await receiveAll();
  await written;
  check(received.length > 1000 && received[0] === 7, 'something was sent');
  check(!received.includes(SECRET), 'a byte of a new owner was sent');
  ownersAreIntact(owners);
}
finish();
