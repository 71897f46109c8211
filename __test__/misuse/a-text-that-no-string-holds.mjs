// text() of more characters than the runtime's strings can have.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "length" is out of range. It must be short enough for one string of this runtime. Received 268435445
import { constants } from 'node:buffer';
import { DirectMemoryManager as dmm, finish, refuses, same } from './_expect.mjs';

const block = dmm.allocateMemory(Math.ceil((constants.MAX_STRING_LENGTH + 1) / 2)).fill(97, 0, 1);
refuses('ERR_OUT_OF_RANGE', () => block.text(0, undefined, 'hex'));
same(block.text(0, 1, 'hex'), '61', 'one byte');
finish({ live: [block] });
