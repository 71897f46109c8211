// Every method and every parameter of the public classes, so that a misuse can be tried on each. A method without an entry is an error.
import { DirectMemoryManager, MemoryBlock } from '../../dist/index.js';
import { check, refuses, rejects } from './_refuses.mjs';

const heap = new Uint8Array(64);
const numbers = ['Int8', 'Uint8', 'Int16', 'Uint16', 'Int32', 'Uint32', 'Float32', 'Float64'];
const bigints = ['BigInt64', 'BigUint64'];

/** Arguments that work on a live block of 64 bytes. `tells`: works on a dead one too. */
const METHODS = {
  toString: { args: [], tells: true },
  isValid: { args: [], tells: true },
  getAgeMs: { args: [], tells: true },
  fill: { args: [0], offset: 1, length: 2 },
  copyTo: { args: [heap], offset: 2, length: 3 },
  equals: { args: [heap] },
  bytes: { args: [], offset: 0, length: 1 },
  view: { args: [Uint8Array], offset: 1, length: 2 },
  toArrayBuffer: { args: [] },
  copyOut: { args: [], offset: 0, length: 1 },
  text: { args: [], offset: 0, length: 1 },
  atomicLoad: { args: ['i32', 0], offset: 1 },
  ...Object.fromEntries(['Store', 'Add', 'And', 'Or'].map((name) => [`atomic${name}`, { args: ['i32', 4, 0], offset: 1, number: 2 }])),
  ...Object.fromEntries(['Xor', 'Exchange'].map((name) => [`atomic${name}`, { args: ['i64', 8, 0n], offset: 1, bigint: 2 }])),
  atomicCompareExchange: { args: ['i64', 8, 0n, 0n], offset: 1, bigint: 3 },
  waitAsync: { args: [0, 0, 0], isAsync: true },
  notify: { args: [0], offset: 0 },
  pin: { args: [], keeps: true },
  share: { args: [], keeps: true },
  lease: { args: [() => 0], isAsync: true },
  free: { args: [], ends: true },
  ...Object.fromEntries(numbers.flatMap((type) => [[`get${type}`, { args: [0], offset: 0 }], [`set${type}`, { args: [0, 0], offset: 0, number: 1 }]])),
  ...Object.fromEntries(bigints.flatMap((type) => [[`get${type}`, { args: [0], offset: 0 }], [`set${type}`, { args: [0, 0n], offset: 0, bigint: 1 }]])),
};
const GETTERS = ['id', 'size', 'actualSize', 'address', 'alignment', 'label', 'allocatedTimestamp', 'freed', 'freedTimestamp'];

/** `BLOCK` stands for the block. */
export const BLOCK = Symbol('block');
const STATICS = [
  { name: 'setMemory', args: [BLOCK, 0, 64, 0], offset: 1, length: 2 },
  { name: 'zeroMemory', args: [BLOCK] },
  { name: 'copyMemory', args: [BLOCK, 0, heap, 0, 64], offset: 1, length: 4 },
  { name: 'copyMemory', args: [heap, 0, BLOCK, 0, 64], offset: 3, length: 4 },
  { name: 'copyMemory', args: [heap, 0, BLOCK, 0, 64, 'swap-endian', 16], offset: 1 },
  { name: 'compareMemory', args: [BLOCK, 0, heap, 0, 64], offset: 1, length: 4 },
  { name: 'compareMemory', args: [heap, 0, BLOCK, 0, 64], offset: 3, length: 4 },
  { name: 'copyMemoryAsync', args: [BLOCK, 0, heap, 0, 64], offset: 1, length: 4, isAsync: true },
  { name: 'copyMemoryAsync', args: [heap, 0, BLOCK, 0, 64], offset: 3, length: 4, isAsync: true },
  { name: 'fillAsync', args: [BLOCK, 0, 64, 0], offset: 1, length: 2, isAsync: true },
  { name: 'compareAsync', args: [BLOCK, 0, heap, 0, 64], offset: 1, length: 4, isAsync: true },
  { name: 'compareAsync', args: [heap, 0, BLOCK, 0, 64], offset: 3, length: 4, isAsync: true },
  { name: 'mismatch', args: [BLOCK, 0, heap, 0, 64], offset: 1, length: 4 },
  { name: 'mismatch', args: [heap, 0, BLOCK, 0, 64], offset: 3, length: 4 },
  { name: 'createDirectByteBuffer', args: [BLOCK], offset: 1, length: 2 },
  { name: 'reallocateMemory', args: [BLOCK, 64], ends: true },
  { name: 'freeMemory', args: [BLOCK], ends: true },
];
const WITHOUT_BLOCK = ['isAvailable', 'allocateMemory', 'freeAllMemory', 'getDirectBufferAddress', 'getMemoryStats', 'getAllocatedBlocks', 'findPotentialLeaks', 'setLimit', 'trim'];

/** The prototypes from MemoryBlock's up, without Object's. */
export const PROTOTYPES = [MemoryBlock.prototype, Object.getPrototypeOf(MemoryBlock.prototype)].filter((each) => each !== Object.prototype);
const getters = GETTERS.map((name) => ({ name, tells: true, isGetter: true, args: [] }));
const methods = Object.entries(METHODS).map(([name, entry]) => ({ name, ...entry }));

for (const prototype of PROTOTYPES) {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    check(name === 'constructor' || Object.hasOwn(METHODS, name) || GETTERS.includes(name), `${name} has an entry in _calls.mjs`);
  }
}
for (const name of Object.getOwnPropertyNames(DirectMemoryManager)) {
  const isKnown = typeof DirectMemoryManager[name] !== 'function' || WITHOUT_BLOCK.includes(name) || STATICS.some((entry) => entry.name === name);
  check(isKnown, `${name} has an entry in _calls.mjs`);
}

function member(name) {
  const holder = PROTOTYPES.find((prototype) => Object.hasOwn(prototype, name));
  return Object.getOwnPropertyDescriptor(holder, name);
}

/** Calls an entry on `block`, with one argument replaced when `at` is given. */
function call(entry, block, at, value) {
  const args = [...entry.args];
  for (let index = args.length; index < at; index += 1) args[index] = undefined;
  if (at !== undefined) args[at] = value;
  return args;
}

/** All calls that take a block as `this` or as an argument: `{ name, tells, ends, isAsync, run(block) }`. */
export const CALLS = [
  ...getters.map((entry) => ({ ...entry, run: (block) => Reflect.apply(member(entry.name).get, block, []) })),
  ...methods.map((entry) => ({ ...entry, run: (block, at, value) => Reflect.apply(member(entry.name).value, block, call(entry, block, at, value)) })),
  ...STATICS.map((entry) => ({
    ...entry,
    isStatic: true,
    run: (block, at, value) => DirectMemoryManager[entry.name](...call(entry, block, at, value).map((arg) => (arg === BLOCK ? block : arg))),
  })),
];
/** The calls that fail on a dead block with ERR_OFFHEAP_USE_AFTER_FREE. */
export const USES = CALLS.filter(({ tells, name }) => !tells && name !== 'free' && name !== 'freeMemory');

/** One function for each place where a parameter of this kind stands, of what throws: 'offset', 'length', 'number' or 'bigint'. */
export function placesOf(kind) {
  return CALLS.filter((entry) => entry[kind] !== undefined && !entry.isAsync).map((entry) => ({ name: entry.name, run: (block, value) => entry.run(block, entry[kind], value) }));
}

/** Each call must be refused with this code, the asynchronous ones by a rejection. */
export async function allRefuse(code, calls, block) {
  for (const { isAsync, name, run } of calls) {
    const act = Object.defineProperty(() => run(block), 'name', { value: name });
    if (isAsync) await rejects(code, act);
    else refuses(code, act);
  }
}
