// Encodings that Buffer does not know, or that are no text.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE,ERR_INVALID_ARG_VALUE
// message: The argument 'encoding' must be an encoding that Buffer knows. Received 'utf9'
import { DirectMemoryManager as dmm, finish, refuses, same } from './_expect.mjs';
import { NO_NUMBERS } from './_values.mjs';

const block = dmm.allocateMemory(4).fill(97);
for (const encoding of ['utf9', '', 'x', 'toString', '__proto__', 'utf8 ']) refuses('ERR_INVALID_ARG_VALUE', () => block.text(0, 4, encoding));
for (const encoding of [8, ...NO_NUMBERS]) if (typeof encoding !== 'string') refuses('ERR_INVALID_ARG_TYPE', () => block.text(0, 4, encoding));
same(block.text(), 'aaaa', 'text');
finish({ live: [block] });
