// Array.prototype gets accessors for indices after load: what the package keeps in arrays must not go out through them.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { hidden, install, remove } from './_accessors.mjs';
import { DirectMemoryManager as dmm, finish, pinBystanders, refuses, same } from './_expect.mjs';
import { walk } from './_tour.mjs';

const unpin = pinBystanders();
install(undefined);
const wrong = walk() ?? walk();
const blocks = [1, 300, 5000, 2 ** 20, 2 ** 24].map((size) => dmm.allocateMemory(size));
for (const block of blocks) {
  block.setUint8(0, 1);
  block.bytes();
  block.free();
}
remove();
unpin();
same(wrong, undefined, 'the tour');
same(hidden().length, 0, `hidden objects reached (${hidden().map((each) => each.constructor?.name)})`);
refuses('ERR_OUT_OF_RANGE', () => dmm.allocateMemory(0));
finish();
