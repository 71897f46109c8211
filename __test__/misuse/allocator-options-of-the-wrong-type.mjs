// Options that are no object, an overflow that is none or not for this type, a getter that throws: nothing is opened.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE,ERR_INVALID_ARG_VALUE
// message: The "options" argument must be of type object. Received null
import { TYPES, check, finish, open, refuses } from './_allocators.mjs';
import { BOMBS } from './_values.mjs';

const thrower = { get overflow() { throw new Error('mine'); } };
for (const type of TYPES) {
  for (const options of [null, 8, 'error', true, 8n, Symbol('x'), [], () => 8]) refuses('ERR_INVALID_ARG_TYPE', () => open(type, 4096, 8, options));
  for (const overflow of [null, 8, true, {}, [], ['error'], Symbol('error'), BOMBS[0]]) refuses('ERR_INVALID_ARG_TYPE', () => open(type, 4096, 8, { overflow }));
  for (const overflow of ['', 'drop', 'Error', 'toString']) refuses('ERR_INVALID_ARG_VALUE', () => open(type, 4096, 8, { overflow }));
  if (type !== 'ring') refuses('ERR_INVALID_ARG_VALUE', () => open(type, 4096, 8, { overflow: 'overwrite-oldest' }));
  let message;
  try {
    open(type, 4096, 8, thrower);
  } catch (error) {
    ({ message } = error);
  }
  check(message === 'mine', 'the error of a getter is its own');
}
finish();
