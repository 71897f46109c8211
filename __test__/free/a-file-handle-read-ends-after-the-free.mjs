// FileHandle.read from a pipe into a view; the block is freed, then the bytes come: they land in no new owner.
// expect: exit=0 code=none
import { writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { DirectMemoryManager as dmm, SIZES, finish, same, turn } from './_free.mjs';
import { freeAndCrowd, openFifo, ownersAreIntact } from './_late.mjs';

const { descriptor, path, close } = openFifo();
const handle = await open(path, 'r');
for (const size of SIZES) {
  const block = dmm.allocateMemory(size).fill(7);
  const reading = handle.read(block.bytes(), 0, size, null);
  await turn(); // the read has begun
  const owners = freeAndCrowd(block);
  writeSync(descriptor, Buffer.alloc(64, 9));
  same((await reading).bytesRead, 64, 'bytes read');
  ownersAreIntact(owners);
}
await handle.close();
close();
finish();
