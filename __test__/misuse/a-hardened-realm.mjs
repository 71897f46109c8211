// Frozen intrinsics, no __proto__, no code from strings: the package neither changes the realm nor needs these.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
// node: --frozen-intrinsics --disable-proto=throw --disallow-code-generation-from-strings
import { DirectMemoryManager as dmm, finish, pinBystanders, refuses, same } from './_expect.mjs';
import { walk } from './_tour.mjs';

const unpin = pinBystanders();
same(walk() ?? walk(), undefined, 'the tour');
unpin();
refuses('ERR_OUT_OF_RANGE', () => dmm.allocateMemory(0));
finish();
