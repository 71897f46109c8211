// fs.read from a pipe into a view; the block is freed, then the bytes come: they land in no new owner, and the process lives.
// expect: exit=0 code=none
import { read, writeSync } from 'node:fs';
import { DirectMemoryManager as dmm, SIZES, finish, same } from './_free.mjs';
import { called, freeAndCrowd, openFifo, ownersAreIntact } from './_late.mjs';

const { descriptor, close } = openFifo();
for (const size of SIZES) {
  const block = dmm.allocateMemory(size).fill(7);
  const reading = called((done) => { read(descriptor, block.bytes(), 0, size, null, done); });
  const owners = freeAndCrowd(block);
  writeSync(descriptor, Buffer.alloc(64, 9));
  const { error } = await reading;
  same(error, null, 'an error of fs.read');
  ownersAreIntact(owners);
}
close();
finish();
