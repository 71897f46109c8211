// Options: what callers hand us is checked once, without running their code, and refused with the documented error.
import test from 'ava';
import type { ExecutionContext } from 'ava';
import * as options from '../facade/options.js';
import { AlignmentMode, AllocatorType, CopyMode } from '../facade/types.js';

const MAX = Number.MAX_SAFE_INTEGER;
const TYPE = 'ERR_INVALID_ARG_TYPE';
const VALUE = 'ERR_INVALID_ARG_VALUE';
const RANGE = 'ERR_OUT_OF_RANGE';

const bomb = (): never => {
  throw new Error('user code ran');
};

/** What is a number to nobody, though much of it would like to be converted to one. */
const NO_NUMBERS: readonly unknown[] = [
  '8',
  '',
  null,
  undefined,
  {},
  [],
  [8],
  8n,
  true,
  Symbol('8'),
  () => 8,
  Object(8),
  { valueOf: bomb, toString: bomb, [Symbol.toPrimitive]: bomb },
  new Proxy({}, new Proxy({}, { get: () => bomb })),
];
const NO_INTEGERS = [NaN, 1.5, -0.5, Number.MIN_VALUE, Infinity, -Infinity];

/** Expects the documented class for a code, and never an error of the hostile value itself. */
function refuses(t: ExecutionContext, act: () => unknown, code: string, message: RegExp = /Received/): void {
  const instanceOf = code === RANGE ? RangeError : TypeError;
  t.throws(act, { instanceOf, code, message });
}

const INTEGERS: readonly { name: string; check: (value: unknown) => void; least: number; most: number }[] = [
  { name: 'size', check: (value) => options.validateSize(value), least: 1, most: MAX },
  { name: 'length', check: (value) => options.validateLength(value), least: 0, most: MAX },
  { name: 'offset', check: (value) => options.validateOffset(value), least: 0, most: MAX },
  { name: 'value', check: (value) => options.validateByteValue(value), least: -128, most: 255 },
  { name: 'maxAgeMs', check: (value) => options.validateMaxAge(value), least: 0, most: MAX },
  { name: 'bytes', check: (value) => options.validateLimit(value), least: 0, most: MAX },
];

for (const { name, check, least, most } of INTEGERS) {
  test(`${name}: integers from ${least} to ${most} pass, everything else is refused by name`, (t) => {
    for (const good of [least, least + 1, 100, most - 1, most]) t.notThrows(() => check(good));
    const named = new RegExp(`^The value of "${name}" is out of range\\. It must be `);
    for (const bad of [...NO_INTEGERS, least - 1, most + 1, 2 ** 53, -(2 ** 53), 1e300]) refuses(t, () => check(bad), RANGE, named);
    for (const bad of NO_NUMBERS) {
      if (bad !== null || name !== 'bytes') refuses(t, () => check(bad), TYPE, new RegExp(`^The "${name}" argument must be `));
    }
  });
}

test('−0 counts as 0: no size, but an offset', (t) => {
  refuses(t, () => options.validateSize(-0), RANGE, /Received -0$/);
  t.notThrows(() => options.validateOffset(-0));
  t.notThrows(() => options.validateRange(-0, -0, 0));
});

test('null is a limit, undefined is none', (t) => {
  t.notThrows(() => options.validateLimit(null));
  refuses(t, () => options.validateLimit(undefined), TYPE, /number or null/);
});

test('a range inside passes, up to the end and beyond 2^32, also with length 0 at the very end', (t) => {
  const good: [number, number, number][] = [
    [0, 0, 0],
    [0, 100, 100],
    [100, 0, 100],
    [99, 1, 100],
    [2 ** 40, 2 ** 40, 2 ** 41],
    [0, MAX, MAX],
    [MAX, 0, MAX],
  ];
  for (const [offset, length, size] of good) t.notThrows(() => options.validateRange(offset, length, size));
});

test('a range past the end is refused without overflow, and the right argument is blamed', (t) => {
  const bad: [unknown, unknown, number, string, RegExp][] = [
    [101, 0, 100, RANGE, /"offset".* >= 0 && <= 100\. Received 101/],
    [100, 1, 100, RANGE, /"length".* >= 0 && <= 0\. Received 1/],
    [60, 50, 100, RANGE, /"length".* >= 0 && <= 40\. Received 50/],
    [MAX, MAX, 100, RANGE, /"offset"/],
    [1, MAX, MAX, RANGE, /"length"/],
    [-1, 0, 100, RANGE, /"offset"/],
    [0, -1, 100, RANGE, /"length"/],
    [-1, 101, 100, RANGE, /"offset"/],
    [0, Infinity, 100, RANGE, /"length"/],
    [0.5, 1, 100, RANGE, /"offset".*an integer/],
    [0, NaN, 100, RANGE, /"length".*an integer/],
    ['0', 1, 100, TYPE, /"offset"/],
    [0, '1', 100, TYPE, /"length"/],
    [0, undefined, 100, TYPE, /"length"/],
  ];
  for (const [offset, length, size, code, message] of bad) refuses(t, () => options.validateRange(offset, length, size), code, message);
  for (const value of NO_NUMBERS) {
    refuses(t, () => options.validateRange(value, 1, 100), TYPE);
    refuses(t, () => options.validateRange(1, value, 100), TYPE);
  }
  refuses(t, () => options.validateRange(9, 0, 8, 'targetOffset', 'length'), RANGE, /"targetOffset"/);
});

test('a bad access tells the last offset that works, or that none does', (t) => {
  t.regex(options.accessError(97, 4, 100).message, />= 0 && <= 96\. Received 97/);
  t.regex(options.accessError(0, 8, 4).message, /at least 8 bytes; this has 4/);
  t.is(Reflect.get(options.accessError('0', 8, 4), 'code'), TYPE);
  t.is(Reflect.get(options.accessError(0.5, 4, 100), 'code'), RANGE);
});

test('every power of two up to 2^30 is an alignment, and every mode', (t) => {
  for (let log2 = 0; log2 <= 30; log2 += 1) {
    const checked = options.validateAlignment(2 ** log2);
    t.deepEqual({ ...checked }, { value: 2 ** log2, isNumeric: true, mode: 'none', log2 });
    t.is(options.validateAlignment(2 ** log2), checked);
    t.true(Object.isFrozen(checked));
  }
  for (const mode of Object.values(AlignmentMode)) {
    t.deepEqual({ ...options.validateAlignment(mode) }, { value: mode, isNumeric: false, mode, log2: -1 });
  }
  t.is(options.validateAlignment(undefined).mode, 'word');
});

test('alignments that are none: not a power of two, too large, unknown, or no alignment at all', (t) => {
  const values = [0, -0, -1, -2, -(2 ** 31), NaN, 3, 6, 0.5, 1.5, 8.000001, 2 ** 30 + 1, 2 ** 31 + 1, 2 ** 32 + 8, Infinity, -Infinity, 1e300];
  for (const value of values) refuses(t, () => options.validateAlignment(value), VALUE, /'alignment' must be a power of two/);
  for (const value of [2 ** 31, 2 ** 32, 2 ** 52, 2 ** 53, 2 ** 1023]) refuses(t, () => options.validateAlignment(value), RANGE, /1073741824 \(1 GiB\)/);
  for (const value of ['', 'WORD', 'Page', '8', 'toString', '__proto__']) {
    refuses(t, () => options.validateAlignment(value), VALUE, /must be one of: 'none', 'word', 'cache-line', 'page'\. Received '/);
  }
  for (const value of NO_NUMBERS) {
    if (typeof value !== 'string' && value !== undefined) refuses(t, () => options.validateAlignment(value), TYPE);
  }
});

test('enumerated arguments pass by value, and refuse by value or by type', (t) => {
  for (const mode of Object.values(CopyMode)) t.is(options.validateCopyMode(mode), mode);
  for (const type of Object.values(AllocatorType)) t.is(options.validateAllocatorType(type), type);
  for (const size of [2, 4, 8, 16] as const) t.is(options.validateElementSize(size), size);
  t.is(options.validateCopyMode(undefined), 'normal');
  t.is(options.validateElementSize(undefined), 8);
  refuses(t, () => options.validateCopyMode('x'), VALUE, /must be one of: 'normal', 'non-temporal', 'swap-endian'/);
  refuses(t, () => options.validateAllocatorType('SLAB'), VALUE, /'hybrid'/);
  refuses(t, () => options.validateAllocatorType(undefined), TYPE);
  for (const size of [0, 1, 3, 5, 32, -2, NaN, Infinity]) refuses(t, () => options.validateElementSize(size), VALUE);
  for (const value of NO_NUMBERS) {
    if (value === undefined) continue;
    refuses(t, () => options.validateElementSize(value), TYPE);
    if (typeof value === 'string') continue;
    refuses(t, () => options.validateCopyMode(value), TYPE);
    refuses(t, () => options.validateAllocatorType(value), TYPE);
  }
});

test('a swap covers whole elements', (t) => {
  t.notThrows(() => options.validateSwapLength(0, 16));
  t.notThrows(() => options.validateSwapLength(2 ** 40, 16));
  refuses(t, () => options.validateSwapLength(12, 8), VALUE, /'length' must be a multiple of elementSize, 8\. Received 12/);
});

test('names have 1 to 256 characters', (t) => {
  for (const good of ['a', 'x'.repeat(256), '\u{1f600}']) t.notThrows(() => options.validateName(good));
  for (const bad of ['', 'x'.repeat(257)]) refuses(t, () => options.validateName(bad), VALUE);
  for (const bad of [null, undefined, 1, {}, Symbol('a'), Object('a')]) refuses(t, () => options.validateName(bad), TYPE);
});

test('options are filled with defaults, and each is read once', (t) => {
  const reads: string[] = [];
  const counting = {
    get zeroed(): boolean {
      reads.push('zeroed');
      return true;
    },
    get label(): string {
      reads.push('label');
      return 'x';
    },
  };
  t.deepEqual(options.validateAllocateOptions(undefined), { zeroed: false, label: undefined });
  t.deepEqual(options.validateAllocateOptions({}), { zeroed: false, label: undefined });
  t.deepEqual(options.validateAllocateOptions({ zeroed: undefined, label: undefined }), { zeroed: false, label: undefined });
  t.deepEqual(options.validateAllocateOptions(counting), { zeroed: true, label: 'x' });
  t.deepEqual(reads, ['zeroed', 'label']);
  t.deepEqual(options.validateAllocateOptions({ label: '' }), { zeroed: false, label: '' });
  t.true(Object.isFrozen(options.validateAllocateOptions(undefined)));
});

test('a polluted Object.prototype has no effect when no options are given', (t) => {
  const prototype = Object.prototype as { zeroed?: unknown; label?: unknown; OFFHEAP_LIMIT?: unknown };
  Object.assign(prototype, { zeroed: 'yes', label: 8, OFFHEAP_LIMIT: '1' });
  try {
    t.deepEqual({ ...options.validateAllocateOptions(undefined) }, { zeroed: false, label: undefined });
    t.is(options.readEnvironment({}).limit, null);
    t.is(options.readEnvironment(process.env).limit, null);
  } finally {
    delete prototype.zeroed;
    delete prototype.label;
    delete prototype.OFFHEAP_LIMIT;
  }
});

test('mistyped options are refused by their full name', (t) => {
  for (const bad of [null, 1, 'x', true, [], () => 0, Symbol('o'), 8n]) refuses(t, () => options.validateAllocateOptions(bad), TYPE, /"options" argument must be of type object/);
  for (const zeroed of ['yes', 1, 0, null, {}, Object(true)]) refuses(t, () => options.validateAllocateOptions({ zeroed }), TYPE, /"options\.zeroed" property/);
  for (const label of [1, null, {}, Symbol('l'), Object('l'), true]) refuses(t, () => options.validateAllocateOptions({ label }), TYPE, /"options\.label" property/);
  t.notThrows(() => options.validateAllocateOptions({ label: 'x'.repeat(256) }));
  refuses(t, () => options.validateAllocateOptions({ label: 'x'.repeat(257) }), VALUE, /'options\.label' must have at most 256 characters/);
});

test('byte counts are whole numbers with a unit of powers of 1024', (t) => {
  const good: [string, number][] = [
    ['0', 0],
    ['1024', 1024],
    ['1024b', 1024],
    ['64m', 64 * 2 ** 20],
    ['64M', 64 * 2 ** 20],
    ['64MB', 64 * 2 ** 20],
    ['64MiB', 64 * 2 ** 20],
    ['64 MiB', 64 * 2 ** 20],
    [' 8g ', 8 * 2 ** 30],
    ['16k', 2 ** 14],
    ['2t', 2 ** 41],
    ['9007199254740991', MAX],
  ];
  for (const [text, bytes] of good) t.is(options.parseBytes(text), bytes, text);
  const bad = ['', 'm', '-1', '+1', '1.5g', '0x10', '1e3', '64x', '64ib', '64mm', '6 4m', '1_024', 'none', 'Infinity', 'NaN', '9007199254740992', '8192t', '1\n2', '٣'];
  for (const text of bad) t.is(options.parseBytes(text), undefined, text);
});

test('without variables, or with empty ones, the environment asks for the defaults', (t) => {
  const defaults = { limit: null, track: 'count', tableBytes: 16 * 2 ** 20, frontend: true, hardened: 'off', error: undefined };
  t.deepEqual({ ...options.readEnvironment({}) }, defaults as never);
  const empty = { OFFHEAP_LIMIT: '', OFFHEAP_TRACK: '', OFFHEAP_TABLE: '', OFFHEAP_FRONTEND: '', OFFHEAP_HARDENED: '' };
  t.deepEqual({ ...options.readEnvironment(empty) }, defaults as never);
});

test('every variable is read in each of its values', (t) => {
  const rows: [string, string, keyof options.Environment, unknown][] = [
    ['OFFHEAP_LIMIT', '8g', 'limit', 2 ** 33],
    ['OFFHEAP_LIMIT', '0', 'limit', 0],
    ...(['off', 'count', 'sampled', 'full'] as const).map((value): [string, string, 'track', string] => ['OFFHEAP_TRACK', value, 'track', value]),
    ['OFFHEAP_TABLE', '64k', 'tableBytes', 2 ** 16],
    ['OFFHEAP_TABLE', '1g', 'tableBytes', 2 ** 30],
    ['OFFHEAP_FRONTEND', 'on', 'frontend', true],
    ['OFFHEAP_FRONTEND', ' OFF ', 'frontend', false],
    ...(['off', 'on', 'paranoid'] as const).map((value): [string, string, 'hardened', string] => ['OFFHEAP_HARDENED', value, 'hardened', value]),
  ];
  for (const [name, text, key, value] of rows) {
    const environment = options.readEnvironment({ [name]: text });
    t.is(environment[key], value as never, `${name}=${text}`);
    t.is(environment.error, undefined);
  }
});

test('a nonsense value is carried as a coded error that names the variable, and is not thrown', (t) => {
  const rows: [string, string, string][] = [
    ['OFFHEAP_LIMIT', '8 gigs', "'8 gigs'"],
    ['OFFHEAP_LIMIT', '-1', "'-1'"],
    ['OFFHEAP_TRACK', 'everything', 'off, count, sampled, full'],
    ['OFFHEAP_TABLE', '1', '64k to 1g'],
    ['OFFHEAP_TABLE', '2g', '64k to 1g'],
    ['OFFHEAP_FRONTEND', '1', 'on, off'],
    ['OFFHEAP_HARDENED', 'extreme', 'off, on, paranoid'],
    ['OFFHEAP_LIMIT', ' ', "' '"],
  ];
  const defaults = options.readEnvironment({});
  for (const [name, text, part] of rows) {
    const { error, ...rest } = options.readEnvironment({ [name]: text });
    t.true(error instanceof TypeError);
    t.is(Reflect.get(error ?? {}, 'code'), VALUE);
    t.true(error?.message.startsWith(`The property 'process.env.${name}' must be `), error?.message);
    t.true(error?.message.includes(part), error?.message);
    t.deepEqual({ ...rest, error: undefined }, { ...defaults });
  }
  const { error, hardened } = options.readEnvironment({ OFFHEAP_LIMIT: 'x', OFFHEAP_TRACK: 'y', OFFHEAP_HARDENED: 'on' });
  t.regex(error?.message ?? '', /OFFHEAP_LIMIT/);
  t.is(hardened, 'on');
});
