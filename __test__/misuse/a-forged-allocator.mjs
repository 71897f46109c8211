// Clones, heirs and Proxies of an allocator, and its methods torn off.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "this" argument must be an instance of AdvancedMemoryAllocator. Received an instance of Object
import { inspect } from 'node:util';
import { AdvancedMemoryAllocator, TYPES, finish, open, refuses } from './_allocators.mjs';

const { prototype } = AdvancedMemoryAllocator;
const live = TYPES.map((type) => {
  const allocator = open(type);
  const memory = allocator.allocate(64);
  for (const forged of [structuredClone(allocator), Object.create(allocator), new Proxy(allocator, {}), { ...allocator }, prototype, memory, undefined, null, 8]) {
    for (const name of Reflect.ownKeys(prototype)) {
      const { get, value } = Reflect.getOwnPropertyDescriptor(prototype, name);
      if (name !== 'constructor' && name !== inspect.custom) refuses('ERR_INVALID_ARG_TYPE', () => Reflect.apply(get ?? value, forged, [memory]));
    }
    inspect(forged);
  }
  return [allocator, [memory]];
});
finish({ live });
