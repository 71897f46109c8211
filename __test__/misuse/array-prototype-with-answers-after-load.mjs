// Array.prototype answers for indices that an array lacks, with objects that look like the package's own.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { install, remove } from './_accessors.mjs';
import { DirectMemoryManager as dmm, finish, pinBystanders, refuses, same } from './_expect.mjs';
import { walk } from './_tour.mjs';

const unpin = pinBystanders();
const results = [];
for (const answer of [{}, 7, new DataView(new ArrayBuffer(2 ** 17)), new Int32Array(2 ** 18), [[{ idle: {}, weak: {} }]], 'label', { generation: 1, ms: 1, idle: { buffer: new ArrayBuffer(8) } }]) {
  install(answer);
  let wrong;
  try {
    wrong = walk() ?? walk();
  } catch (error) {
    wrong = error.message;
  }
  remove();
  dmm.freeAllMemory();
  if (wrong !== undefined) results.push(`${typeof answer}: ${wrong}`);
}
unpin();
same(results.join(), '', 'the tours');
refuses('ERR_OUT_OF_RANGE', () => dmm.allocateMemory(0));
finish();
