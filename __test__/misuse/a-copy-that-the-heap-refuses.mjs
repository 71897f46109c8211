// Under ulimit -v: copyOut and text of more than the JavaScript heap can get, and of more than a string can hold.
// expect: exit=0 code=ERR_OFFHEAP_OUT_OF_MEMORY,ERR_OUT_OF_RANGE
// shell: ulimit -v 6000000
import { constants } from 'node:buffer';
import { DirectMemoryManager as dmm, check, finish, refuses } from './_expect.mjs';

const large = dmm.allocateMemory(constants.MAX_STRING_LENGTH + 2 ** 20);
refuses('ERR_OUT_OF_RANGE', () => large.text(0, undefined, 'latin1'));
const live = [large];
refuses('ERR_OFFHEAP_OUT_OF_MEMORY', () => {
  for (;;) live.push(dmm.allocateMemory(256 * 2 ** 20));
});
live.pop().free();
refuses('ERR_OFFHEAP_OUT_OF_MEMORY', () => large.copyOut());
check(large.isValid() && large.getUint8(0) === 0, 'the block is as it was');
finish({ live });
