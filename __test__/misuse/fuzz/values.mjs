// Values for the fuzzer: bytes of every kind, and what tries to break things when it is looked at.
/* oxlint-disable unicorn/no-thenable -- one of the things that break things */
import vm from 'node:vm';
import { AdvancedMemoryAllocator, AllocatedMemory, DirectMemoryManager, MemoryBlock, MemoryPool, OffHeapError } from '../../../dist/index.js';

/** Thrown by hostile code when somebody runs it, so that it is told from errors of the package. */
export class Hostile extends Error {}

const NUMBERS = [NaN, Infinity, -Infinity, -1, -0, 0.5, 1.5, 127, 128, 255, 256, -129, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 48, 2 ** 52, 2 ** 53 - 1, 2 ** 53, 1e300, -(2 ** 31), -(2 ** 53), Number.MIN_VALUE];
const TEXTS = ['', '8', 'x', '__proto__', 'constructor', '\ud800', 'a\0b', 'x'.repeat(257), 'ü'.repeat(256), 'huge '.repeat(2 ** 18)];
const OTHERS = [null, undefined, true, 8n, -(2n ** 64n), 1n << 9999n, Symbol('x'), Symbol.iterator, () => 8, [], [8], {}, Object.create(null), new Date(8), /x/, new Map(), Promise, globalThis, new Proxy({}, {})];
const CLASSES = [AdvancedMemoryAllocator, AllocatedMemory, DirectMemoryManager, MemoryBlock, MemoryPool, OffHeapError];
/** Things of another realm, whose classes are not ours. */
const REALM = vm.runInNewContext(`({
  object: {}, bare: Object.create(null), call: () => 8, list: [8], error: new TypeError('theirs'), bytes: new Uint8Array(64), view: new DataView(new ArrayBuffer(64), 8),
  buffer: new ArrayBuffer(64), shared: new SharedArrayBuffer(64), number: Object(8), promise: Promise.resolve(8),
})`);
const FOREIGN = Object.values(REALM);

function throwing() {
  throw new Hostile('trapped');
}
const TRAPS = { get: throwing, set: throwing, has: throwing, getPrototypeOf: throwing, getOwnPropertyDescriptor: throwing, ownKeys: throwing, defineProperty: throwing };

/** `kill`: what happens to memory while hostile code runs; `anything`: a real handle of whatever kind, live or dead. */
export function makeValues({ below, pick }, { anything, kill }) {
  const act = (result) => () => {
    kill();
    if (below(3) === 0) throw new Hostile('asked');
    return result;
  };
  const revoked = () => {
    const { proxy, revoke } = Proxy.revocable(pick([{}, [], () => 8]), {});
    revoke();
    return proxy;
  };
  const viewOf = (buffer) => pick([(each) => each, (each) => new Uint8Array(each), (each) => new Uint8Array(each, 8), (each) => new DataView(each), (each) => new Int32Array(each), (each) => Buffer.from(each)])(buffer);
  const detached = () => {
    const buffer = new ArrayBuffer(64);
    const view = viewOf(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    return view;
  };
  const resized = () => {
    const buffer = new ArrayBuffer(64, { maxByteLength: 4096 });
    const view = pick([(each) => each, (each) => new Uint8Array(each), (each) => new Uint8Array(each, 40), (each) => new DataView(each, 8, 56), (each) => new Float64Array(each, 0, 8)])(buffer);
    buffer.resize(below(200));
    return view;
  };
  const shared = () => {
    const buffer = new SharedArrayBuffer(64, below(2) === 0 ? undefined : { maxByteLength: 128 });
    const view = pick([(each) => new Uint8Array(each), (each) => new DataView(each, 8), (each) => each])(buffer);
    if (buffer.growable) buffer.grow(64 + below(65));
    return view;
  };
  const heap = () => pick([new Uint8Array(below(5000)), Buffer.alloc(64), Buffer.from('small, of the pool'), new Float64Array(8), new DataView(new ArrayBuffer(100), 3), new ArrayBuffer(64), new Int16Array(new ArrayBuffer(64), 2), new Uint8Array(0)]);
  const ofHandles = () => {
    const handle = anything();
    try {
      return pick([() => handle.bytes(), () => handle.toArrayBuffer(), () => handle.view(DataView), () => handle.bytes().subarray(3)])();
    } catch {
      return heap(); // a dead one, or one without bytes
    }
  };
  /** Views whose own properties say something else, or do something. */
  const lying = () => Object.defineProperties(new Uint8Array(64), pick([{ byteLength: { get: act(2 ** 40) } }, { length: { value: 9 } }, { buffer: { get: act(null) } }, { byteOffset: { value: -8 } }, { constructor: { get: act(Array) } }]));
  const forged = () => {
    const handle = anything() ?? {};
    const face = pick(CLASSES);
    const ways = [() => Object.create(face.prototype), () => new Proxy(handle, {}), () => new Proxy(handle, TRAPS), () => Object.create(handle), () => ({ ...handle }), () => face.prototype, () => face, () => Reflect.construct(Object, [], face)];
    ways.push(() => structuredClone(handle), () => Object.setPrototypeOf(handle.constructor === face ? {} : [], face.prototype));
    return pick(ways)();
  };
  const sly = () => pick([{ valueOf: act(0) }, { toString: act('0') }, { [Symbol.toPrimitive]: act(8) }, Object.defineProperty([], 'length', { value: 8 }), { get then() { return act(0)(); } }, { get byteLength() { return act(8)(); } }, { get constructor() { return act(Uint8Array)(); } }]);
  /** Options that do something when they are read. */
  const options = (...names) => pick([
    () => Object.defineProperty({}, pick(names), { enumerable: true, get: act(pick([true, 'sly', 8, undefined])) }),
    () => new Proxy({}, TRAPS),
    () => new Proxy({ [pick(names)]: 'x' }, {}),
    () => Object.create({ [pick(names)]: pick([true, 8, 'inherited']) }),
    () => Object.assign(Object.create(null), { [pick(names)]: pick([undefined, true, 1, 'label']) }),
    () => ({ [pick(names)]: pick([...NUMBERS, ...TEXTS, ...OTHERS]) }),
    () => pick(FOREIGN),
    revoked,
  ])();
  const hostile = () => pick([
    () => pick(NUMBERS), () => pick(NUMBERS), () => pick(OTHERS), () => pick(TEXTS), () => pick(FOREIGN), forged, forged, sly, sly, detached, resized, shared, revoked, anything, lying,
    () => new Proxy(pick([{}, [], () => 8, new Uint8Array(8)]), TRAPS),
  ])();
  return { act, bytes: () => pick([heap, heap, ofHandles, detached, resized, shared, lying, () => pick(FOREIGN)])(), options, hostile };
}
