// fs.read, fs.readv and FileHandle.read from a pipe under a lease: the free is refused while they wait, and the bytes arrive whole.
// expect: exit=0 code=ERR_OFFHEAP_IN_USE
import { read, readv, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { DirectMemoryManager as dmm, SIZES, check, finish, isAll, same, turn } from './_free.mjs';
import { called, openFifo, refusesAnEnd } from './_late.mjs';

const { descriptor, path, close } = openFifo();
const handle = await open(path, 'r');
const ways = [
  async (bytes) => (await called((done) => { read(descriptor, bytes, 0, bytes.length, null, done); })).results[0],
  async (bytes) => (await called((done) => { readv(descriptor, [bytes.subarray(0, 8), bytes.subarray(8)], null, done); })).results[0],
  async (bytes) => (await handle.read(bytes, 0, bytes.length, null)).bytesRead,
];
for (const size of SIZES.filter((each) => each <= 65_536)) {
  for (const way of ways) {
    const block = dmm.allocateMemory(size).fill(7);
    const reading = block.lease(way);
    await turn();
    refusesAnEnd(block);
    writeSync(descriptor, Buffer.alloc(size, 9));
    same(await reading, size, 'bytes read');
    check(isAll(block.bytes(), 9), 'the bytes are the block’s');
    block.free();
  }
}
await handle.close();
close();
finish();
