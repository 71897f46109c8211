// fs.write of a view into a full pipe; the block is freed while the write waits: what comes out is its own bytes or zeros, no new owner's.
// expect: exit=0 code=none
import { write } from 'node:fs';
import { MIB, DirectMemoryManager as dmm, SIZES, check, finish, turn } from './_free.mjs';
import { SECRET, called, freeAndCrowd, openFifo, ownersAreIntact } from './_late.mjs';

const { descriptor, takeAll, close } = openFifo();
for (const size of [...SIZES, MIB]) {
  const block = dmm.allocateMemory(size).fill(7);
  await called((done) => { write(descriptor, Buffer.alloc(65_536, 1), done); }); // now it is full
  const state = { isWritten: false };
  void called((done) => { write(descriptor, block.bytes(), done); }).then(() => Object.assign(state, { isWritten: true }));
  await turn();
  check(!state.isWritten, 'the write waits');
  const owners = freeAndCrowd(block);
  const sent = [];
  while (!state.isWritten) {
    sent.push(takeAll());
    await turn();
  }
  const bytes = Buffer.concat([...sent, takeAll()]);
  check(bytes.length >= 65_536 && !bytes.includes(SECRET), 'a byte of a new owner was sent');
  ownersAreIntact(owners);
}
close();
finish();
