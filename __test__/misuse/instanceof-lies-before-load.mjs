// Before load, Symbol.hasInstance of every class throws or lies: handles and bytes are told apart by what they are.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "block" argument must be an instance of MemoryBlock. Received an instance of Object
for (const type of [Object, Array, Error, TypeError, RangeError, ArrayBuffer, Uint8Array, DataView, Buffer, Map, Promise]) {
  Object.defineProperty(type, Symbol.hasInstance, {
    value() {
      throw new Error('instanceof was asked');
    },
  });
}
const { DirectMemoryManager: dmm, MemoryBlock, OffHeapError } = await import('../../dist/index.js');
const { finish, pinBystanders, refuses, same } = await import('./_expect.mjs');
const unpin = pinBystanders();
same((await import('./_tour.mjs')).walk(), undefined, 'the tour');
unpin();
Object.defineProperty(MemoryBlock, Symbol.hasInstance, { value: () => true });
Object.defineProperty(dmm, Symbol.hasInstance, { value: () => true });
refuses('ERR_INVALID_ARG_TYPE', () => dmm.freeMemory({}), () => dmm.zeroMemory(Object.create(MemoryBlock.prototype)));
same([{}, null, 8, new Error('x'), Object.create(OffHeapError.prototype)].map((value) => value instanceof OffHeapError).join(), 'false,false,false,false,true', 'instanceof OffHeapError');
finish();
