// Values for the fuzzer: bytes of every kind, and what tries to break things when it is looked at.
/* oxlint-disable unicorn/no-thenable -- one of the things that break things */
import { ERROR_CODES } from './_codes.mjs';
import { MemoryBlock } from '../../dist/index.js';

/** Thrown by hostile code when somebody runs it, so that it is told from errors of the package. */
export class Hostile extends Error {}
/** The documented codes. */
export const CODES = new Set(ERROR_CODES);

const NUMBERS = [NaN, Infinity, -Infinity, -1, -0, 0.5, 1.5, 127, 128, 255, 256, -129, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 48, 2 ** 52, 2 ** 53 - 1, 2 ** 53, 1e300, -(2 ** 31), -(2 ** 53), Number.MIN_VALUE];
const OTHERS = [null, undefined, true, '', '8', 'x', '__proto__', 8n, -(2n ** 64n), Symbol('x'), Symbol.iterator, () => 8, [], [8], {}, new Date(8), /x/, new Map(), Promise, globalThis];

function throwing() {
  throw new Hostile('trapped');
}

/** `kill`: what happens to a block while hostile code runs. */
export function makeValues({ below, pick, live, kill }) {
  const act = (result) => () => {
    kill();
    if (below(3) === 0) throw new Hostile('asked');
    return result;
  };
  const traps = { get: throwing, has: throwing, getPrototypeOf: throwing, getOwnPropertyDescriptor: throwing, ownKeys: throwing, defineProperty: throwing };
  const revoked = () => {
    const { proxy, revoke } = Proxy.revocable(pick([{}, [], () => 8]), {});
    revoke();
    return proxy;
  };
  const detached = () => {
    const buffer = new ArrayBuffer(64);
    const view = pick([(each) => each, (each) => new Uint8Array(each, 8), (each) => new DataView(each), (each) => new Int32Array(each), (each) => Buffer.from(each)])(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    return view;
  };
  const resized = () => {
    const buffer = new ArrayBuffer(64, { maxByteLength: 4096 });
    const view = pick([(each) => each, (each) => new Uint8Array(each), (each) => new Uint8Array(each, 40), (each) => new DataView(each, 8, 56), (each) => new Float64Array(each, 0, 8)])(buffer);
    buffer.resize(below(200));
    return view;
  };
  const shared = () => pick([(each) => new Uint8Array(each), (each) => new DataView(each, 8), (each) => each])(new SharedArrayBuffer(64, below(2) === 0 ? undefined : { maxByteLength: 128 }));
  const heap = () => pick([new Uint8Array(below(5000)), Buffer.alloc(64), Buffer.from('small, of the pool'), new Float64Array(8), new DataView(new ArrayBuffer(100), 3), new ArrayBuffer(64), new Int16Array(new ArrayBuffer(64), 2)]);
  const ofBlocks = () => {
    const block = live();
    try {
      return pick([() => block.bytes(), () => block.toArrayBuffer(), () => block.view(DataView), () => block.bytes().subarray(3)])();
    } catch {
      return heap(); // a dead one, or none
    }
  };
  const forged = () => pick([() => Object.create(MemoryBlock.prototype), () => new Proxy(live() ?? {}, {}), () => Object.create(live() ?? {}), () => structuredClone(live() ?? {}), () => ({ ...live() }), () => MemoryBlock.prototype, () => MemoryBlock])();
  const sly = () => pick([{ valueOf: act(0) }, { toString: act('0') }, { [Symbol.toPrimitive]: act(8) }, Object.defineProperty([], 'length', { value: 8 }), { get then() { return act(0)(); } }, { get byteLength() { return act(8)(); } }]);
  return {
    bytes: () => pick([heap, heap, ofBlocks, detached, resized, shared])(),
    options: () => pick([{ get zeroed() { return act(true)(); } }, { get label() { return act('sly')(); } }, new Proxy({}, traps), new Proxy({ label: 'x' }, {}), revoked(), { zeroed: 'yes' }, { label: 8 }, { label: 'x'.repeat(300) }]),
    hostile: () => pick([() => pick(NUMBERS), () => pick(NUMBERS), () => pick(OTHERS), forged, sly, detached, resized, revoked, () => new Proxy(pick([{}, [], () => 8, new Uint8Array(8)]), traps), () => live()])(),
  };
}
