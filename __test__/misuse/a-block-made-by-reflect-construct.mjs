// Constructing a block without allocating one: directly, by Reflect.construct, by a subclass, through a Proxy of the class.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "new.target" property must be an instance of a call of DirectMemoryManager.allocateMemory(). Received undefined
import { CALLS, allRefuse } from './_calls.mjs';
import { MemoryBlock, finish, refuses } from './_expect.mjs';

class Sub extends MemoryBlock {}
class WithFields extends MemoryBlock {
  size = 1000;
}
for (const type of [MemoryBlock, Sub, WithFields, new Proxy(MemoryBlock, {}), MemoryBlock.bind(null)]) {
  for (const args of [[], [Symbol('offheap.block'), 0, 1, 1000], [Symbol.for('offheap.block'), 0, 1, 1000], [undefined, 0], [{}, 0, 1, 2 ** 40]]) {
    refuses('ERR_INVALID_ARG_TYPE', () => Reflect.construct(type, args), () => Reflect.construct(type, args, Array), () => new type(...args));
  }
}
for (const half of [Reflect.construct(Object, [], MemoryBlock), Reflect.construct(Array, [], Sub)]) await allRefuse('ERR_INVALID_ARG_TYPE', CALLS, half);
finish();
