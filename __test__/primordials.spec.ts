// Primordials: what was captured at load keeps working, and keeps our views to itself, whatever happens to the realm later.
import test from 'ava';
import * as p from '../facade/primordials.js';

/** Replaces one property of a prototype for as long as `act` runs. */
function tampered(target: object, key: PropertyKey, descriptor: PropertyDescriptor, act: () => void): void {
  const before = Object.getOwnPropertyDescriptor(target, key);
  Object.defineProperty(target, key, { ...descriptor, configurable: true });
  try {
    act();
  } finally {
    if (before === undefined) Reflect.deleteProperty(target, key);
    else Object.defineProperty(target, key, before);
  }
}

const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;

test('a safe DataView reads and writes every type as a plain one does, in both byte orders', (t) => {
  const buffer = new ArrayBuffer(64);
  const safe = p.dataViewOver(buffer, 8, 32);
  const plain = new DataView(buffer, 8, 32);
  t.deepEqual([safe.byteLength, safe.byteOffset, safe.buffer === buffer], [32, 8, true]);
  const numbers = ['Int8', 'Uint8', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64'] as const;
  for (const kind of numbers) {
    for (const little of [true, false]) {
      safe[`set${kind}`](4, -77, little);
      t.is(safe[`get${kind}`](4, little), plain[`get${kind}`](4, little), kind);
    }
  }
  for (const kind of ['BigInt64', 'BigUint64'] as const) {
    safe[`set${kind}`](8, -5n, true);
    t.is(safe[`get${kind}`](8, true), plain[`get${kind}`](8, true), kind);
  }
  t.throws(() => safe.getInt32(29, true), { instanceOf: RangeError });
});

test('a patched DataView.prototype is never reached through a safe view', (t) => {
  const safe = p.dataViewOver(new ArrayBuffer(16));
  const seen: unknown[] = [];
  for (const key of ['getInt32', 'setInt32', 'getFloat64'] as const) {
    const spy = {
      value(this: unknown): number {
        seen.push(this);
        return 1;
      },
    };
    tampered(DataView.prototype, key, spy, () => {
      safe.setInt32(0, 42, true);
      t.is(safe.getInt32(0, true), 42);
      t.is(safe.getFloat64(8, true), 0);
      t.is(p.dataViewOver(new ArrayBuffer(8)).getInt32(0, true), 0);
    });
  }
  t.deepEqual(seen, []);
});

test('the prototypes of safe views cannot be changed, and lead nowhere', (t) => {
  for (const view of [p.dataViewOver(new ArrayBuffer(8)), p.bytesOver(new ArrayBuffer(8))]) {
    const prototype = Object.getPrototypeOf(view) as object;
    t.true(Object.isFrozen(prototype));
    t.is(Object.getPrototypeOf(prototype), null);
    t.throws(() => Object.defineProperty(prototype, 'fill', { value: () => 0 }), { instanceOf: TypeError });
    t.throws(() => Object.setPrototypeOf(prototype, {}), { instanceOf: TypeError });
    t.false(view instanceof DataView || view instanceof Uint8Array);
  }
});

test('safe bytes set, fill, move and slice, and their slices are safe too', (t) => {
  const buffer = new ArrayBuffer(16);
  const bytes = p.bytesOver(buffer, 4, 8);
  bytes.set(new Uint8Array([1, 2, 3]), 1);
  bytes.copyWithin(4, 1, 4);
  bytes.fill(9, 7);
  t.deepEqual([...new Uint8Array(buffer)], [0, 0, 0, 0, 0, 1, 2, 3, 1, 2, 3, 9, 0, 0, 0, 0]);
  const part = bytes.subarray(1, 4);
  t.is(Object.getPrototypeOf(part), Object.getPrototypeOf(bytes));
  t.deepEqual([part.length, part.byteLength, part.byteOffset, part.buffer === buffer, part[0]], [3, 3, 5, true, 1]);
  p.bytesOver(new ArrayBuffer(3)).set(part);
});

test('patched typed array methods, species and iterators are never reached through safe bytes', (t) => {
  const bytes = p.bytesOver(new ArrayBuffer(8));
  let calls = 0;
  const spy = {
    value(): never {
      calls += 1;
      throw new Error('reached');
    },
  };
  const act = (): void => {
    bytes.fill(1);
    bytes.set(p.bytesOver(new ArrayBuffer(2)).subarray(0, 1), 3);
    bytes.subarray(1, 2).fill(7);
  };
  const targets: [object, PropertyKey][] = [
    [typedArrayPrototype, 'fill'],
    [typedArrayPrototype, 'set'],
    [typedArrayPrototype, 'subarray'],
    [typedArrayPrototype, Symbol.iterator],
    [Uint8Array.prototype, 'fill'],
    [Uint8Array.prototype, 'constructor'],
    [Object.getPrototypeOf(Uint8Array) as object, Symbol.species],
    [globalThis, 'Uint8Array'],
    [Array.prototype, Symbol.iterator],
    [Object.prototype, 'constructor'],
  ];
  for (const [target, key] of targets) tampered(target, key, spy, act);
  t.is(calls, 0);
  t.is(bytes[1], 7);
});

test('captured getters ignore own properties, subclasses and patched prototypes', (t) => {
  const buffer = new ArrayBuffer(32);
  const array = new Uint16Array(buffer, 4, 6);
  const data = new DataView(buffer, 2, 10);
  for (const view of [array, data]) {
    Object.defineProperty(view, 'byteLength', { value: 2 ** 40 });
    Object.defineProperty(view, 'byteOffset', { value: 0 });
    Object.defineProperty(view, 'buffer', { value: new ArrayBuffer(1) });
  }
  const lie = { get: () => 2 ** 40 };
  tampered(ArrayBuffer.prototype, 'byteLength', lie, () => t.is(p.arrayBufferByteLength(buffer), 32));
  tampered(typedArrayPrototype, 'byteLength', lie, () => {
    t.deepEqual([p.viewByteLength(array), p.viewByteOffset(array), p.viewBuffer(array) === buffer], [12, 4, true]);
    t.is(p.typedArrayLength(array), 6);
  });
  tampered(typedArrayPrototype, Symbol.toStringTag, { get: () => undefined }, () => t.true(p.isTypedArray(array)));
  t.deepEqual([p.viewByteLength(data), p.viewByteOffset(data), p.viewBuffer(data) === buffer], [10, 2, true]);
});

test('views over a detached buffer have no length, whatever their kind', (t) => {
  const buffer = new ArrayBuffer(8);
  const views = [new Uint8Array(buffer), new DataView(buffer, 2)];
  structuredClone(buffer, { transfer: [buffer] });
  t.is(p.arrayBufferByteLength(buffer), 0);
  for (const view of views) t.deepEqual([p.viewByteLength(view), p.viewByteOffset(view)], [0, 0]);
});

test('brands are told by internal slots: forged objects and Proxies have none', (t) => {
  const forged = Object.create(ArrayBuffer.prototype) as object;
  const proxy = new Proxy(new ArrayBuffer(1), {});
  const rows: [unknown, boolean, boolean, boolean][] = [
    [new ArrayBuffer(1), true, true, false],
    [new (class extends ArrayBuffer {})(1), true, true, false],
    [new SharedArrayBuffer(1), false, true, false],
    [new Uint8Array(1), false, false, true],
    [new DataView(new ArrayBuffer(1)), false, false, true],
    [forged, false, false, false],
    [proxy, false, false, false],
    [null, false, false, false],
    ['x', false, false, false],
  ];
  for (const [value, plain, any, view] of rows) t.deepEqual([p.isArrayBuffer(value), p.isAnyArrayBuffer(value), p.isView(value)], [plain, any, view]);
  t.true(p.isProxy(proxy));
  t.throws(() => p.arrayBufferByteLength(forged as ArrayBuffer), { instanceOf: TypeError });
  t.false(p.isTypedArray(new Proxy(new Uint8Array(1), {})));
});

test('element sizes are known for the built-in view constructors only', (t) => {
  const rows: [unknown, number][] = [
    [Uint8Array, 1],
    [Int16Array, 2],
    [Float32Array, 4],
    [BigUint64Array, 8],
    [DataView, 1],
    [Buffer, 0],
    [Array, 0],
    [Object.getPrototypeOf(Uint8Array), 0],
    [class extends Uint8Array {}, 0],
    [{ BYTES_PER_ELEMENT: 4 }, 0],
    [undefined, 0],
  ];
  for (const [constructor, size] of rows) t.is(p.viewElementSize(constructor), size);
});

test('users get ordinary views: a Uint8Array and a Buffer over the same bytes', (t) => {
  const buffer = new ArrayBuffer(16);
  const bytes = p.uint8Over(buffer, 2, 4);
  tampered(Buffer, 'from', { value: () => null }, () => {
    const node = p.bufferOver(buffer, 2, 4);
    node[0] = 7;
    t.true(Buffer.isBuffer(node));
    t.is(node.length, 4);
  });
  t.is(bytes[0], 7);
  t.is(Object.getPrototypeOf(bytes), Uint8Array.prototype);
  t.deepEqual([...p.int32Over(buffer, 4, 2)], [0, 0]);
});

test('transfer is the engine\'s own or absent', (t) => {
  const native = Reflect.get(ArrayBuffer.prototype, 'transfer') as unknown;
  t.is(p.arrayBufferTransfer === undefined, native === undefined);
  if (p.arrayBufferTransfer === undefined) return;
  const before = new ArrayBuffer(8);
  new Uint8Array(before)[3] = 5;
  const moved = p.arrayBufferTransfer(before);
  t.deepEqual([before.byteLength, moved.byteLength, new Uint8Array(moved)[3]], [0, 8, 5]);
});
