// Errors: one class, stable codes, Node's wording, numbers as properties; describing a hostile value runs none of its code.
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import test from 'ava';
import * as errors from '../facade/errors.js';
import { bytesText, formatAddress, formatAge, formatBlock, formatBytes, makeStats, typeText, valueText } from '../facade/format.js';
import type { ErrorCode } from '../facade/errors.js';

const { ERROR_CODES, OffHeapError } = errors;

const bomb = (): never => {
  throw new Error('user code ran');
};

class MemoryBlock {
  readonly size = 8;
}

/** One error of each kind. */
const SAMPLES: readonly [ErrorCode, Error & { code?: unknown }][] = [
  ['ERR_OFFHEAP_OUT_OF_MEMORY', errors.outOfMemory(2 ** 41, 2 ** 30)],
  ['ERR_OFFHEAP_LIMIT', errors.limitReached(2 ** 21, 100, 2 ** 20)],
  ['ERR_OFFHEAP_LIMIT', errors.poolLimitReached(4)],
  ['ERR_OFFHEAP_USE_AFTER_FREE', errors.useAfterFree('MemoryBlock', 7)],
  ['ERR_OFFHEAP_DOUBLE_FREE', errors.doubleFree('MemoryBlock', 7)],
  ['ERR_OFFHEAP_FOREIGN_BLOCK', errors.foreignBlock('MemoryBlock', 7, "MemoryPool 'a'", 'DirectMemoryManager')],
  ['ERR_OFFHEAP_IN_USE', errors.inUse('MemoryBlock', 7, 'freed', 2)],
  ['ERR_OFFHEAP_WRONG_THREAD', errors.wrongThread('MemoryBlock', 7)],
  ['ERR_OFFHEAP_REGION_FULL', errors.regionFull('orders', 64, 32, 4096)],
  ['ERR_OFFHEAP_CONFIG_MISMATCH', errors.configMismatch('orders', 'totalSize', 1024, 2048)],
  ['ERR_OFFHEAP_NOT_SUPPORTED', errors.notSupported('mark()', 'a slab has no order')],
  ['ERR_OFFHEAP_ESCAPED', errors.escaped('MemoryBlock', 7)],
  ['ERR_OFFHEAP_CLOSED', errors.closed('AdvancedMemoryAllocator', 'orders')],
  ['ERR_OFFHEAP_TIMEOUT', errors.timedOut('MemoryPool.acquireAsync()', 1500)],
  ['ERR_OFFHEAP_PROTECTED', errors.protectedMemory('MemoryBlock', 7, 'read', 'written')],
  ['ERR_OFFHEAP_CORRUPTED', errors.corrupted('MemoryBlock', 7, 'a guard was overwritten')],
  ['ERR_OUT_OF_RANGE', errors.outOfRange('size', '>= 1', 0)],
  ['ERR_INVALID_ARG_VALUE', errors.invalidArgValue('alignment', 3, 'must be a power of two')],
  ['ERR_INVALID_ARG_TYPE', errors.invalidArgType('size', 'number', '8')],
];

test('the codes are those of the Rust core, in its order', (t) => {
  const rust = readFileSync(new URL('../crates/offheap-core/src/base/error.rs', import.meta.url), 'utf8');
  const listed = [...rust.matchAll(/^ {4}\w+ = (\d+), "(ERR_\w+)";$/gm)].map(([, number, text]) => [Number(number), text]);
  t.deepEqual(listed, ERROR_CODES.map((code, index) => [index + 1, code]));
  t.true(Object.isFrozen(ERROR_CODES));
});

test('every code has a factory, and its errors show name and code in the stack as Node does', (t) => {
  t.deepEqual(new Set(SAMPLES.map(([code]) => code)), new Set(ERROR_CODES));
  for (const [code, error] of SAMPLES) {
    const own = code.startsWith('ERR_OFFHEAP_');
    const name = own ? 'OffHeapError' : code === 'ERR_OUT_OF_RANGE' ? 'RangeError' : 'TypeError';
    t.is(error.code, code);
    t.is(error.name, name);
    t.false(Object.hasOwn(error, 'name'));
    t.is(error.stack?.split('\n')[0], `${name} [${code}]: ${error.message}`);
    t.false(error.stack?.includes('facade/errors'), 'the stack begins at the caller of the factory');
    t.true(inspect(error).startsWith(`${name} [${code}]: `));
    t.is(error instanceof OffHeapError, own);
    t.regex(error.message, /^\w.{30,}$/);
    t.notRegex(error.message, /undefined|NaN|\[object|\.\.$/);
    t.true(Object.keys(error).includes('code'));
  }
});

test('numbers that help are own properties, numbers that do not are absent', (t) => {
  const full = errors.regionFull('orders', 64, 32, 4096);
  t.deepEqual({ ...full }, { code: 'ERR_OFFHEAP_REGION_FULL', requested: 64, available: 32, cachedElsewhere: 4096 });
  t.deepEqual({ ...errors.outOfMemory(8) }, { code: 'ERR_OFFHEAP_OUT_OF_MEMORY', requested: 8 });
  t.deepEqual({ ...errors.limitReached(8, 0) }, { code: 'ERR_OFFHEAP_LIMIT', requested: 8, available: 0 });
  t.deepEqual({ ...errors.inUse('MemoryPool', 'a', 'closed') }, { code: 'ERR_OFFHEAP_IN_USE' });
  t.deepEqual({ ...errors.inUse('MemoryBlock', 7, 'freed', 2) }, { code: 'ERR_OFFHEAP_IN_USE', id: 7, pins: 2 });
});

test('messages say what was asked, what is possible and what to do, with readable sizes', (t) => {
  t.regex(errors.limitReached(2 ** 21, 100, 2 ** 20).message, /2,097,152 bytes \(2 MiB\): 100 bytes left.*1,048,576 bytes \(1 MiB\).*setLimit/);
  t.regex(errors.useAfterFree('MemoryBlock', 7, 'its allocator was reset').message, /^MemoryBlock 7 .*its allocator was reset/);
  t.regex(errors.closed('AllocatedMemory', 9).message, /^AllocatedMemory 9 .*allocator is closed/);
  t.regex(errors.inUse('MemoryBlock', 7, 'freed', 1).message, /cannot be freed: a pin or lease holds it/);
});

test('instanceof knows the errors of another copy by their brand, and subclasses are still told apart', (t) => {
  class Special extends OffHeapError {}
  const foreign = Object.create({ [Symbol.for('offheap.error')]: true }) as unknown;
  t.true(foreign instanceof OffHeapError);
  t.false((foreign as object) instanceof Special);
  t.true(new Special('ERR_OFFHEAP_CLOSED', 'x') instanceof Special);
  t.true(new Special('ERR_OFFHEAP_CLOSED', 'x') instanceof OffHeapError);
  t.false(errors.wrongThread('MemoryBlock', 1) instanceof Special);
  for (const other of [null, undefined, 1, 'x', {}, new Error('x'), () => 0]) t.false((other as unknown) instanceof OffHeapError);
});

test('argument errors read as Node\'s own do', (t) => {
  const rows: [string, string | string[], unknown, string][] = [
    ['size', 'number', '8', `The "size" argument must be of type number. Received type string ('8')`],
    ['size', 'number', null, 'The "size" argument must be of type number. Received null'],
    ['size', 'number', undefined, 'The "size" argument must be of type number. Received undefined'],
    ['size', 'number', 8n, 'The "size" argument must be of type number. Received type bigint (8n)'],
    ['size', 'number', {}, 'The "size" argument must be of type number. Received an instance of Object'],
    ['size', 'number', Symbol('s'), 'The "size" argument must be of type number. Received type symbol (Symbol(s))'],
    ['options.zeroed', 'boolean', 'yes', `The "options.zeroed" property must be of type boolean. Received type string ('yes')`],
    ['bytes', ['number', 'null'], true, 'The "bytes" argument must be one of type number or null. Received type boolean (true)'],
    ['a', ['MemoryBlock', 'Buffer'], [], 'The "a" argument must be an instance of MemoryBlock or Buffer. Received an instance of Array'],
    ['a', ['string', 'Buffer'], test, 'The "a" argument must be of type string or an instance of Buffer. Received function test'],
  ];
  for (const [name, expected, actual, message] of rows) t.is(errors.invalidArgType(name, expected, actual).message, message);
  t.is(errors.outOfRange('size', '>= 1', 2 ** 53).message, 'The value of "size" is out of range. It must be >= 1. Received 9_007_199_254_740_992');
  t.is(errors.invalidArgValue('mode', 'x', 'must be y').message, `The argument 'mode' must be y. Received 'x'`);
});

test('a forged handle is called one', (t) => {
  const forged = Object.create(MemoryBlock.prototype) as unknown;
  t.regex(errors.invalidArgType('block', 'MemoryBlock', forged).message, /Received an object that only looks like a MemoryBlock$/);
});

test('describing a value runs none of its code', (t) => {
  const traps = new Proxy({}, { get: () => bomb });
  const rows: [unknown, string][] = [
    [{ valueOf: bomb, toString: bomb, toJSON: bomb, [Symbol.toPrimitive]: bomb, [inspect.custom]: bomb }, 'an instance of Object'],
    [new Proxy({}, traps), 'a Proxy'],
    [new Proxy(bomb, traps), 'a Proxy'],
    [Object.create(new Proxy({}, traps)), 'an object'],
    [Object.defineProperty({}, 'constructor', { get: bomb }), 'an object'],
    [{ constructor: new Proxy(MemoryBlock, traps) }, 'an object'],
    [{ constructor: Object.defineProperty(() => 0, 'name', { get: bomb }) }, 'an object'],
    [{ constructor: { name: 'Not a class' } }, 'an object'],
    [Object.defineProperty(() => 0, 'name', { get: bomb }), 'function '],
    [Object.defineProperty({}, Symbol.toStringTag, { get: bomb }), 'an instance of Object'],
    [Object.create(null), 'an object without a prototype'],
    [MemoryBlock, 'function MemoryBlock'],
  ];
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  rows.push([revoked.proxy, 'a Proxy']);
  for (const [value, text] of rows) {
    t.is(valueText(value), text);
    t.is(typeText(value), text);
    t.is(errors.invalidArgType('size', 'number', value).code, 'ERR_INVALID_ARG_TYPE');
  }
});

test('values are cut, kept on one line, and told apart', (t) => {
  const rows: [unknown, string][] = [
    ['x'.repeat(28), `'${'x'.repeat(28)}'`],
    ['x'.repeat(1e6), `'${'x'.repeat(25)}...'`],
    ['a\nb\u001b[31m', `'a?b?[31m'`],
    [Symbol('y'.repeat(99)), `Symbol(${'y'.repeat(18)}...`],
    [-0, '-0'],
    [0, '0'],
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [1.5, '1.5'],
    [-(2 ** 33), '-8_589_934_592'],
    [1e21, '1e+21'],
    [10n ** 28n, `1${'0'.repeat(28)}n`],
    [1n << 4_000_000n, 'beyond 10^28'],
    [-(1n << 200n), 'beyond 10^28'],
    [false, 'false'],
  ];
  for (const [value, text] of rows) t.is(valueText(value), text);
});

test('sizes, addresses and ages are written for people', (t) => {
  const sizes: [number, string, string][] = [
    [0, '0 B', '0 bytes'],
    [1, '1 B', '1 byte'],
    [1023, '1023 B', '1,023 bytes'],
    [1024, '1 KiB', '1,024 bytes (1 KiB)'],
    [1_500_000, '1.43 MiB', '1,500,000 bytes (1.43 MiB)'],
    [2 ** 20 - 1, '1 MiB', '1,048,575 bytes (1 MiB)'],
    [2 ** 53 - 1, '8 PiB', '9,007,199,254,740,991 bytes (8 PiB)'],
  ];
  for (const [bytes, brief, full] of sizes) t.deepEqual([formatBytes(bytes), bytesText(bytes)], [brief, full]);
  t.is(formatAddress(0x7f00_dead_beefn), '0x7f00deadbeef');
  t.deepEqual([0, 999, 1000, 3440, 90_000, 5_400_000, 2e8].map(formatAge), ['0ms', '999ms', '1s', '3.4s', '1.5min', '1.5h', '2.3d']);
});

test('a block is shown as the contract says, with ? for what a dead handle no longer knows', (t) => {
  const block = { id: 7, address: 0x7f00n, size: 64, alignment: 'word', ageMs: 3, freed: false } as const;
  t.is(formatBlock('MemoryBlock', block), 'MemoryBlock[id=7, addr=0x7f00, size=64, alignment=word, age=3ms, freed=false]');
  const dead = { ...block, alignment: undefined, ageMs: undefined, freed: true };
  t.is(formatBlock('MemoryBlock', dead), 'MemoryBlock[id=7, addr=0x7f00, size=64, alignment=?, age=?ms, freed=true]');
});

test('a snapshot is frozen, fresh, and readable as text, in the console and as JSON', (t) => {
  const fields = { totalSize: 2 ** 21, allocatedBlocks: 3, utilizationPercent: 12.34, fragmentationPercent: { internal: 1.26, external: 0 } };
  const stats = makeStats('AllocatorStats', fields);
  t.true(Object.isFrozen(stats) && Object.isFrozen(stats.fragmentationPercent));
  t.not(stats as unknown, fields);
  t.deepEqual(Object.keys(stats), Object.keys(fields));
  t.deepEqual({ ...stats }, fields);
  t.is(`${stats as object}`, 'AllocatorStats[totalSize=2 MiB, allocatedBlocks=3, utilizationPercent=12.3%, fragmentationPercent=[internal=1.3%, external=0%]]');
  t.regex(inspect(stats), /^AllocatorStats \{\s+totalSize: 2097152 \(2 MiB\),/);
  t.is(inspect({ a: stats }, { depth: 0 }), '{ a: [AllocatorStats] }');
  const all = makeStats('MemoryStats', { escaped: 5, byAllocator: [stats] });
  t.regex(inspect(all), /byAllocator: \[\s+AllocatorStats \{/);
  t.regex(inspect(all, { depth: null }), /internal: 1.26/);
  const row = makeStats('BlockInfo', { address: 255n, label: 'a\nb', site: undefined, ageMs: 1500, escaped: false });
  t.is(`${row as object}`, "BlockInfo[address=0xff, label='a?b', ageMs=1.5s, escaped=false]");
  t.is(JSON.stringify([row]), '[{"address":"0xff","label":"a\\nb","ageMs":1500,"escaped":false}]');
  t.deepEqual(structuredClone(row), { ...row });
});
