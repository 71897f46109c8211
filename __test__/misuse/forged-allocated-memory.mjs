// Clones, copies, heirs and Proxies of allocated memory are not that memory: no free, no method, no operation. The memory is untouched.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "memory" argument must be an instance of AllocatedMemory. Received an instance of Object
import { inspect } from 'node:util';
import { DirectMemoryManager as dmm, TYPES, finish, open, refuses, rejects, same } from './_allocators.mjs';

const heap = new Uint8Array(64);
const live = [];
for (const type of TYPES) {
  const allocator = open(type);
  const memory = allocator.allocate(64).fill(7);
  const prototype = Object.getPrototypeOf(memory);
  const copy = Object.create(prototype, Object.getOwnPropertyDescriptors(memory));
  for (const forged of [structuredClone(memory), Object.create(memory), new Proxy(memory, {}), { ...memory }, copy, prototype, Object.setPrototypeOf([1], prototype)]) {
    refuses('ERR_INVALID_ARG_TYPE', () => allocator.free(forged), () => dmm.zeroMemory(forged), () => dmm.createDirectByteBuffer(forged));
    refuses('ERR_INVALID_ARG_TYPE', () => dmm.copyMemory(heap, 0, forged, 0, 8), () => dmm.freeMemory(forged), () => memory.equals(forged), () => memory.copyTo(forged));
    for (const name of ['free', 'getUint8', 'setInt32', 'fill', 'bytes', 'copyOut', 'pin', 'isValid', 'toString', 'atomicLoad', 'atomicAdd', 'atomicCompareExchange', 'notify', Symbol.dispose]) {
      refuses('ERR_INVALID_ARG_TYPE', () => Reflect.apply(prototype[name], forged, [0, 0]));
    }
    await rejects('ERR_INVALID_ARG_TYPE', () => Reflect.apply(prototype.waitAsync, forged, [0, 0]));
    inspect(forged);
  }
  same(memory.getUint8(63), 7, 'untouched');
  live.push([allocator, [memory]]);
}
finish({ live });
