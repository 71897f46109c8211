// A label of more than 256 characters; one of 256, of surrogate halves and of control characters comes back as it was.
// expect: exit=0 code=ERR_INVALID_ARG_VALUE
// message: The property 'options.label' must have at most 256 characters. Received 'xxxxxxxxxxxxxxxxxxxxxxxxx...'
import { DirectMemoryManager as dmm, finish, refuses, same } from './_expect.mjs';

for (const length of [257, 2 ** 20]) refuses('ERR_INVALID_ARG_VALUE', () => dmm.allocateMemory(64, 'word', { label: 'x'.repeat(length) }));
const live = [];
for (const label of ['x'.repeat(256), '\u{1f600}'.repeat(128), 'a\0b', '\n', 'ß']) {
  const block = dmm.allocateMemory(64, 'word', { label });
  live.push(block);
  same(block.label, label, 'label');
  same(dmm.getAllocatedBlocks().find(({ id }) => id === block.id).label, label, 'label of the row');
}
finish({ live });
