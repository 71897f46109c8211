// Blobs, files, responses and streams of them made of views: they hold copies, which outlive the block.
// expect: exit=0 code=none
import { Blob, File } from 'node:buffer';
import { DirectMemoryManager as dmm, SIZES, check, crowd, disperse, finish, isAll } from './_free.mjs';

for (const size of SIZES) {
  const block = dmm.allocateMemory(size).fill(7);
  const blob = new Blob([block.bytes(), block.toArrayBuffer(), block.view(DataView)]);
  const all = [blob, blob.slice(3, size + 3), new File([block.bytes()], 'a file'), new Response(block.bytes()), new Response(new Blob([block.bytes()]).stream())];
  block.free();
  const blocks = crowd(size, { count: 200 });
  const lengths = [3 * size, size, size, size, size];
  for (const [index, each] of all.entries()) {
    const bytes = new Uint8Array(await each.arrayBuffer());
    check(bytes.length === lengths[index] && isAll(bytes, 7), `bytes of number ${index}`);
  }
  disperse(blocks);
}
finish();
