// trim() gives back the pages of what was freed in this turn, and keeps the addresses: a read that waits lands in no new owner.
// expect: exit=0 code=none
import { read, writeSync } from 'node:fs';
import { MIB, DirectMemoryManager as dmm, SIZES, check, crowd, disperse, finish, same } from './_free.mjs';
import { called, openFifo } from './_late.mjs';

const { descriptor, close } = openFifo();
const freed = [];
for (const size of [...SIZES, MIB]) {
  const block = dmm.allocateMemory(size).fill(7);
  const reading = called((done) => { read(descriptor, block.bytes(), 0, 16, null, done); });
  freed.push(block.address);
  block.free();
  check(dmm.trim() >= 0, 'trim()');
  const owners = crowd(size, { count: 20 });
  check(owners.every(({ address }) => !freed.includes(address)), 'an address of this turn was handed out');
  writeSync(descriptor, Buffer.alloc(16, 9));
  same((await reading).error, null, 'an error of fs.read');
  disperse(owners);
}
close();
finish();
