// Before load, Array.prototype gets accessors for indices: nothing hidden goes out through them.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { hidden, install, remove } from './_accessors.mjs';

install(undefined);
const { DirectMemoryManager: dmm, finish, pinBystanders, refuses, same } = await import('./_expect.mjs');
const { walk } = await import('./_tour.mjs');
const unpin = pinBystanders();
const wrong = walk() ?? walk();
remove();
unpin();
same(wrong, undefined, 'the tour');
same(hidden().length, 0, `hidden objects reached (${hidden().map((each) => each.constructor?.name)})`);
refuses('ERR_OUT_OF_RANGE', () => dmm.allocateMemory(0));
finish();
