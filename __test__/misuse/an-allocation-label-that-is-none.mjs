// Labels of the wrong type, and one that is too long.
// expect: exit=0 code=ERR_INVALID_ARG_VALUE,ERR_INVALID_ARG_TYPE
// message: The "label" argument must be of type string. Received null
import { TYPES, finish, open, refuses } from './_allocators.mjs';
import { NO_NUMBERS } from './_values.mjs';

const live = TYPES.map((type) => {
  const allocator = open(type);
  for (const label of NO_NUMBERS) if (typeof label !== 'string') refuses('ERR_INVALID_ARG_TYPE', () => allocator.allocate(8, label));
  refuses('ERR_INVALID_ARG_VALUE', () => allocator.allocate(8, 'x'.repeat(257)), () => allocator.allocate(8, 'x'.repeat(2 ** 20)));
  return [allocator, [allocator.allocate(8, 'x'.repeat(256)), allocator.allocate(8, '')]];
});
finish({ live });
