// TextDecoder, StringDecoder and Buffer.toString over views, before, across and after the free: the block's text, then nothing.
// expect: exit=0 code=none
import { StringDecoder } from 'node:string_decoder';
import { DirectMemoryManager as dmm, SIZES, crowd, disperse, finish, same } from './_free.mjs';

for (const size of SIZES.filter((each) => each % 4 === 0)) {
  const text = '€a'.repeat(size / 4);
  const block = dmm.allocateMemory(size);
  block.bytes().set(Buffer.from(text));
  const view = block.bytes();
  const buffer = dmm.createDirectByteBuffer(block);
  const streaming = new TextDecoder();
  const decoder = new StringDecoder('utf8');
  same(new TextDecoder().decode(view) === text && buffer.toString() === text && block.text() === text, true, 'the text');
  const first = streaming.decode(view.subarray(0, 6), { stream: true }) + decoder.write(buffer.subarray(0, 6));
  same(first, '€a€a', 'the first part; the decoders keep two bytes of the next character');
  block.free();
  const blocks = crowd(size, { byte: 65, count: 200 });
  const rest = streaming.decode(view, { stream: true }) + decoder.write(buffer) + new TextDecoder().decode(view) + buffer.toString() + buffer.latin1Slice();
  same(rest, '', 'nothing of the next owners');
  same(streaming.decode(Buffer.from([0xac])) + decoder.write(Buffer.from([0xac])), '€€', 'what the decoders kept');
  disperse(blocks, 65);
}
finish();
