// Constructing a block without allocating one: directly, by Reflect.construct, through the parent class, by a subclass.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
import { CALLS, allRefuse } from './_calls.mjs';
import { MemoryBlock, finish, refuses } from './_expect.mjs';

const Parent = Object.getPrototypeOf(MemoryBlock);
class Sub extends MemoryBlock {}
class Other extends Parent {}
for (const type of [MemoryBlock, Parent, Sub, Other, new Proxy(MemoryBlock, {})]) {
  for (const args of [[], [Symbol('offheap.handle'), 0, 1, 1000], [Symbol.for('offheap.handle'), 0, 1, 1000], [undefined, 0], [{}, 0, 1, 2 ** 40]]) {
    refuses('ERR_INVALID_ARG_TYPE', () => Reflect.construct(type, args), () => Reflect.construct(type, args, Array), () => new type(...args));
  }
}
for (const half of [Reflect.construct(Object, [], MemoryBlock), Reflect.construct(function half() {}, [], Sub)]) await allRefuse('ERR_INVALID_ARG_TYPE', CALLS, half);
finish();
