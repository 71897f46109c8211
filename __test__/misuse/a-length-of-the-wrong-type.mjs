// Lengths that are no numbers, null among them, wherever a length is taken. Their code must not run.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "length" argument must be of type number. Received type string ('8')
import { placesOf } from './_calls.mjs';
import { DirectMemoryManager as dmm, finish, refuses } from './_expect.mjs';
import { NO_NUMBERS } from './_values.mjs';

const block = dmm.allocateMemory(64);
for (const { name, run } of placesOf('length')) {
  for (const value of NO_NUMBERS) refuses('ERR_INVALID_ARG_TYPE', Object.defineProperty(() => run(block, value), 'name', { value: name }));
}
finish({ live: [block] });
