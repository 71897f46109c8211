// Names that are empty, 10 KB long, or no text; a type that is none.
// expect: exit=0 code=ERR_INVALID_ARG_VALUE,ERR_INVALID_ARG_TYPE
// message: The argument 'name' must have 1 to 256 characters. Received ''
import { AdvancedMemoryAllocator, MIB, TYPES, finish, refuses } from './_allocators.mjs';
import { BOMBS, NO_NUMBERS } from './_values.mjs';

const { getInstance } = AdvancedMemoryAllocator;
for (const type of TYPES) {
  for (const name of ['', 'x'.repeat(257), 'x'.repeat(10_240), '\u{1f9c0}'.repeat(129), '\ud83e', 'x\uddc0']) refuses('ERR_INVALID_ARG_VALUE', () => getInstance(name, type, MIB));
  for (const name of [undefined, 8, NaN, ...NO_NUMBERS]) if (typeof name !== 'string') refuses('ERR_INVALID_ARG_TYPE', () => getInstance(name, type, MIB));
}
for (const type of ['', 'Slab', 'SLAB_ALLOCATOR', 'toString', '__proto__', '1']) refuses('ERR_INVALID_ARG_VALUE', () => getInstance('x', type, MIB));
for (const type of [undefined, null, 0, 1, 8n, {}, ['slab'], Symbol('slab'), ...BOMBS]) refuses('ERR_INVALID_ARG_TYPE', () => getInstance('x', type, MIB));
refuses('ERR_INVALID_ARG_TYPE', () => getInstance(), () => new AdvancedMemoryAllocator('x', 'slab', MIB), () => Reflect.construct(AdvancedMemoryAllocator, []));
finish();
