// Before load, what we capture is wrapped, transparently: Map, WeakMap, WeakRef, Function.prototype.call and bind, the getters of buffers.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
const { apply, ownKeys, getOwnPropertyDescriptor, defineProperty } = Reflect;
let calls = 0;
const wrap = (original) => function wrapped(...args) {
  calls += 1;
  return apply(original, this, args);
};
for (const target of [Map, Set, WeakMap, WeakRef, ArrayBuffer, DataView, Number, String, Object.getPrototypeOf(Uint8Array)].map(({ prototype }) => prototype)) {
  for (const key of ownKeys(target)) {
    const { value, get, set } = getOwnPropertyDescriptor(target, key);
    if (get !== undefined) defineProperty(target, key, { get: wrap(get), set, configurable: true });
    else if (typeof value === 'function' && key !== 'constructor') defineProperty(target, key, { value: wrap(value), writable: true, configurable: true });
  }
}
for (const key of ['call', 'apply', 'bind']) defineProperty(Function.prototype, key, { value: wrap(Function.prototype[key]), writable: true, configurable: true });
const { DirectMemoryManager: dmm, finish, pinBystanders, refuses, same } = await import('./_expect.mjs');
const unpin = pinBystanders();
same((await import('./_tour.mjs')).walk(), undefined, `the tour (${calls} calls)`);
unpin();
refuses('ERR_OUT_OF_RANGE', () => dmm.allocateMemory(0));
finish();
