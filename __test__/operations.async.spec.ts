// copyMemoryAsync, fillAsync and compareAsync:
// - they give what their synchronous forms give, for every mode, kind of memory, length and overlap
// - both ends are pinned until the promise settles, and nobody writes them afterwards
// - a signal ends them with its reason; progress grows up to the whole; a fault of the caller's functions is what the promise rejects with
// - the event loop turns meanwhile; what becomes of a buffer of JavaScript's in such a turn is noticed
// - what is wrong with the arguments rejects, with the code that the synchronous form throws
import test from 'ava';
import type { ExecutionContext } from 'ava';
import os from 'node:os';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { AdvancedMemoryAllocator, AllocatorType, CopyMode, DirectMemoryManager as Manager, MemoryBlock } from '../index.js';
import type { ElementSize, NativeMemory, OperationOptions } from '../index.js';
import { freeEverything } from './_settled.js';

/** Node 20 marks native memory as untransferable, so there nothing is taken away: a transfer makes a copy. */
const canEscape = 'transfer' in ArrayBuffer.prototype;

const KIB = 2 ** 10;
const MIB = 2 ** 20;

/** Bytes in which every position differs from its neighbours. */
function pattern(length: number, seed: number = 1): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at += 1) bytes[at] = at * 7 + (at >> 8) * 13 + (at >> 16) * 31 + seed;
  return bytes;
}

async function rejects(t: ExecutionContext, code: string, act: () => Promise<unknown>): Promise<void> {
  await t.throwsAsync(act, { code });
}

test.afterEach.always('nothing stays', async (t) => {
  t.is(await freeEverything(), 0);
});

type How = readonly [mode: CopyMode, elementSize?: ElementSize];
const MODES: readonly How[] = [[CopyMode.NORMAL], [CopyMode.NON_TEMPORAL], [CopyMode.SWAP_ENDIAN, 2], [CopyMode.SWAP_ENDIAN, 16]];

/** Around the length that is done at once, a slice, a piece. */
const LENGTHS = [0, 16, 128 * KIB, 128 * KIB + 16, MIB + 48, 4 * MIB, 9 * MIB + 32];

for (const how of MODES) {
  test.serial(`a copy ${how.join(' ')} is what copyMemory gives, between blocks, and from and to a Buffer`, async (t) => {
    for (const length of LENGTHS) {
      const bytes = pattern(length + 64);
      const source = MemoryBlock.from(bytes);
      const target = Manager.allocateMemory(length + 64).fill(0xcc);
      const expected = Buffer.alloc(length + 64, 0xcc);
      Manager.copyMemory(bytes, 16, expected, 32, length, ...how);
      t.is(await Manager.copyMemoryAsync(source, 16, target, 32, length, ...how), undefined);
      t.true(target.equals(expected), `${length} bytes, native`);
      const heap = Buffer.alloc(length + 64, 0xcc);
      await Manager.copyMemoryAsync(source, 16, heap, 32, length, ...how);
      t.true(heap.equals(expected), `${length} bytes, to a Buffer`);
      target.fill(0xcc);
      await Manager.copyMemoryAsync(bytes, 16, target, 32, length, ...how);
      t.true(target.equals(expected), `${length} bytes, from a Buffer`);
      source.free();
      target.free();
    }
  });
}

test.serial('ranges that overlap are copied as through a temporary, in a block, in a Buffer, and between a block and its own view', async (t) => {
  const size = 9 * MIB;
  for (const distance of [16, 4096, 4 * MIB, 5 * MIB]) {
    for (const [from, to] of [[0, distance], [distance, 0]] as const) {
      const bytes = pattern(size + distance);
      const expected = Buffer.from(bytes);
      expected.copyWithin(to, from, from + size);
      const block = MemoryBlock.from(bytes);
      await Manager.copyMemoryAsync(block, from, block, to, size);
      t.true(block.equals(expected), `block, from ${from} to ${to}`);
      Manager.copyMemory(bytes, 0, block, 0, bytes.length);
      await Manager.copyMemoryAsync(block.bytes(), from, block, to, size);
      t.true(block.equals(expected), `view and block, from ${from} to ${to}`);
      await Manager.copyMemoryAsync(bytes, from, bytes, to, size);
      t.true(bytes.equals(expected), `Buffer, from ${from} to ${to}`);
      block.free();
    }
  }
});

test.serial('memory of every allocator is copied, filled and compared', async (t) => {
  for (const type of Object.values(AllocatorType)) {
    const isSmall = type === AllocatorType.SLAB_ALLOCATOR || type === AllocatorType.OBJECT_POOL;
    const size = isSmall ? 16 * KIB : 5 * MIB; // the most that they grant
    using allocator = AdvancedMemoryAllocator.getInstance(`async ${type}`, type, 64 * MIB);
    const one = allocator.allocate(size);
    const other = allocator.allocate(size);
    await Manager.fillAsync(one, 0, size, 7);
    t.true(one.copyOut().equals(Buffer.alloc(size, 7)), type);
    await Manager.copyMemoryAsync(one, 5, other, 5, size - 5);
    other.fill(7, 0, 5);
    t.is(await Manager.compareAsync(one, 0, other, 0, size), 0, type);
    other.setUint8(size - 1, 6);
    t.is(await Manager.compareAsync(one, 0, other, 0, size), 1, type);
    if (isSmall) continue;
    const filling = Manager.fillAsync(one, 0, size, 8);
    t.throws(() => one.free(), { code: 'ERR_OFFHEAP_IN_USE' }, type);
    t.throws(() => allocator.reset(), { code: 'ERR_OFFHEAP_IN_USE' }, type);
    await filling;
    one.free();
  }
});

test.serial('a fill reaches every byte of its range and none beside it', async (t) => {
  for (const [length, value] of [[100, 255], [128 * KIB + 1, -128], [9 * MIB + 7, 0x5a]] as const) {
    const block = Manager.allocateMemory(length + 20, 'none', { zeroed: true });
    await Manager.fillAsync(block, 10, length, value);
    const expected = Buffer.alloc(length + 20);
    expected.fill(value & 0xff, 10, 10 + length);
    t.true(block.equals(expected), `${length} bytes`);
    block.free();
  }
});

test.serial('the first of many differences decides, as unsigned numbers', async (t) => {
  const size = 17 * MIB;
  const one = MemoryBlock.from(pattern(size));
  const heap = pattern(size);
  const other = MemoryBlock.from(heap);
  for (const b of [other, heap]) t.is(await Manager.compareAsync(one, 0, b, 0, size), 0);
  for (const first of [size - 1, 13 * MIB, 4 * MIB, 4 * MIB - 1, 0]) {
    one.setUint8(first, 255);
    other.setUint8(first, 127);
    heap[first] = 127;
    for (const b of [other, heap]) {
      t.is(await Manager.compareAsync(one, 0, b, 0, size), 1, `${first}`);
      t.is(await Manager.compareAsync(b, 0, one, 0, size), -1, `${first}`);
    }
  }
});

test.serial('until the promise settles nothing ends what it works at, and afterwards everything may', async (t) => {
  const source = Manager.allocateMemory(32 * MIB, 'page', { zeroed: true });
  const target = Manager.allocateMemory(32 * MIB, 'page', { zeroed: true });
  for (const [one, other] of [[source, target], [source, Buffer.alloc(32 * MIB)], [Buffer.alloc(32 * MIB), source]] as const) {
    const copying = Manager.copyMemoryAsync(one, 0, other, 0, 32 * MIB);
    for (const block of [one, other]) {
      if (!(block instanceof MemoryBlock)) continue;
      t.throws(() => block.free(), { code: 'ERR_OFFHEAP_IN_USE' });
      t.throws(() => Manager.reallocateMemory(block, 5), { code: 'ERR_OFFHEAP_IN_USE' });
      t.like(Manager.getAllocatedBlocks().find(({ id }) => id === block.id), { pinned: true });
    }
    await copying;
  }
  source.free();
  target.free();
});

/** Two blocks, or a block and a Buffer. */
const PAIRS: readonly (readonly [string, (size: number) => NativeMemory | Buffer])[] = [
  ['a block', (size) => Manager.allocateMemory(size, 'page', { zeroed: true })],
  ['a Buffer', (size) => Buffer.alloc(size)],
];
for (const [kind, make] of PAIRS) {
  test.serial(`a signal ends a copy from ${kind} with its reason, and its memory can be freed then`, async (t) => {
    const size = 256 * MIB;
    const source = make(size);
    const target = Manager.allocateMemory(size);
    const controller = new AbortController();
    const reason = { why: 'enough' };
    let doneBytes = 0;
    const options: OperationOptions = { signal: controller.signal, onProgress: (done) => { doneBytes = done; } };
    const copying = Manager.copyMemoryAsync(source, 0, target, 0, size, 'normal', 8, options);
    controller.abort(reason);
    t.is(await copying.catch((error: unknown) => error), reason);
    t.true(doneBytes < size);
    target.free();
    if (source instanceof MemoryBlock) source.free();
    t.is(await Manager.fillAsync(Manager.allocateMemory(8), 0, 8, 1, { signal: controller.signal }).catch((error: unknown) => error), reason);
  });

  test.serial(`progress of a copy from ${kind} grows up to the whole, and what its function throws ends it`, async (t) => {
    const size = 64 * MIB;
    const source = make(size);
    const target = Manager.allocateMemory(size);
    const told: number[] = [];
    const onProgress = (doneBytes: number, totalBytes: number): void => {
      t.is(totalBytes, size);
      told.push(doneBytes);
    };
    await Manager.copyMemoryAsync(source, 0, target, 0, size, undefined, undefined, { onProgress });
    t.is(told.at(-1), size);
    t.deepEqual(told, told.toSorted((a, b) => a - b));
    const mine = new Error('mine');
    const thrown = await Manager.copyMemoryAsync(source, 0, target, 0, size, undefined, undefined, { onProgress: () => { throw mine; } }).catch((error: unknown) => error);
    t.is(thrown, mine);
    target.free();
  });

  test.serial(`the event loop turns while a copy from ${kind} goes on`, async (t) => {
    const size = 64 * MIB;
    const target = Manager.allocateMemory(size);
    let turns = 0;
    const turning = setInterval(() => { turns += 1; }, 0);
    await Manager.copyMemoryAsync(make(size), 0, target, 0, size);
    clearInterval(turning);
    t.true(turns > 1, `${turns} turns`);
  });
}

test.serial('a buffer that is moved away in the middle is noticed, and nothing is lost', async (t) => {
  const size = 32 * MIB;
  const block = Manager.allocateMemory(size, 'none', { zeroed: true });
  for (const [one, other] of [[true, false], [false, true]]) {
    const heap = Buffer.from(new ArrayBuffer(size));
    const copying = Manager.copyMemoryAsync(one ? heap : block, 0, other ? heap : block, 0, size);
    structuredClone(heap.buffer, { transfer: [heap.buffer] });
    await rejects(t, 'ERR_OUT_OF_RANGE', () => copying);
  }
  const shrinking = new (ArrayBuffer as unknown as new (length: number, options: object) => ArrayBuffer & { resize(length: number): void })(size, { maxByteLength: size });
  const copying = Manager.copyMemoryAsync(shrinking, 0, block, 0, size);
  shrinking.resize(5);
  await rejects(t, 'ERR_OUT_OF_RANGE', () => copying);
  block.free();
});

test.serial('a block whose buffer was transferred away in the middle keeps its memory until the copy has ended', async (t) => {
  const size = 32 * MIB;
  const source = Manager.allocateMemory(size, 'none', { zeroed: true });
  const target = Manager.allocateMemory(size).fill(1);
  const copying = Manager.copyMemoryAsync(source, 0, target, 0, size);
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(target.toArrayBuffer(), [target.toArrayBuffer()]);
  await copying;
  const again = Manager.copyMemoryAsync(source, 0, target, 0, size);
  if (canEscape) await rejects(t, 'ERR_OFFHEAP_ESCAPED', () => again);
  else await again;
  const { message: away } = receiveMessageOnPort(port2) as { message: ArrayBuffer };
  t.true(canEscape ? Buffer.from(away).equals(Buffer.alloc(size)) : away.byteLength === size);
  port1.close();
  source.free();
  target.free();
});

/** Calls that any arguments are given to. */
const copy = (...args: unknown[]) => (): Promise<unknown> => Reflect.apply(Manager.copyMemoryAsync, Manager, args);
const fill = (...args: unknown[]) => (): Promise<unknown> => Reflect.apply(Manager.fillAsync, Manager, args);
const compare = (...args: unknown[]) => (): Promise<unknown> => Reflect.apply(Manager.compareAsync, Manager, args);

test.serial('what is wrong with the arguments rejects, and changes nothing', async (t) => {
  const size = MIB;
  const block = Manager.allocateMemory(size, 'none', { zeroed: true });
  const dead = Manager.allocateMemory(size);
  dead.free();
  for (const act of [copy('x', 0, block, 0, 1), copy(block, '0', block, 0, 1), fill({}, 0, 1, 1), fill(block, 0, 1, 1n), compare(block, 0, null, 0, 0)]) await rejects(t, 'ERR_INVALID_ARG_TYPE', act);
  for (const act of [copy(block, 1, block, 0, size), copy(block, 0, block, size, 1), fill(block, 0, size + 1, 0), fill(block, 0, 1, 256), compare(block, 0, Buffer.alloc(5), 0, size)]) {
    await rejects(t, 'ERR_OUT_OF_RANGE', act);
  }
  for (const act of [copy(block, 0, block, 0, 8, 'x'), copy(block, 0, block, 0, 8, 'normal', 5), copy(block, 0, block, 0, 7, 'swap-endian', 4)]) await rejects(t, 'ERR_INVALID_ARG_VALUE', act);
  for (const act of [copy(dead, 0, block, 0, size), copy(block, 0, dead, 0, size), fill(dead, 0, 0, 0), compare(dead, 0, block, 0, 0)]) await rejects(t, 'ERR_OFFHEAP_USE_AFTER_FREE', act);
  for (const options of [null, 5, [], { signal: {} }, { onProgress: 5 }]) {
    await rejects(t, 'ERR_INVALID_ARG_TYPE', copy(block, 0, block, 0, size, 'normal', 8, options));
    await rejects(t, 'ERR_INVALID_ARG_TYPE', fill(block, 0, size, 9, options));
    await rejects(t, 'ERR_INVALID_ARG_TYPE', compare(block, 0, block, 0, size, options));
  }
  t.true(block.equals(Buffer.alloc(size)));
  block.free();
});

test.serial('an option that frees the block while it is read is met by the look that comes after it', async (t) => {
  for (const length of [8, MIB]) {
    const block = Manager.allocateMemory(MIB);
    await rejects(t, 'ERR_OFFHEAP_USE_AFTER_FREE', () => Manager.fillAsync(block, 0, length, 1, { get signal() { block.free(); return undefined; } }));
    const other = Manager.allocateMemory(MIB);
    const { signal } = new AbortController();
    Object.defineProperty(signal, 'addEventListener', { value: () => other.free() });
    await rejects(t, 'ERR_OFFHEAP_USE_AFTER_FREE', () => Manager.fillAsync(other, 0, length, 1, { signal }));
  }
});

test.serial('whatever a script makes of the count of processors, an operation off the main thread ends as it should', async (t) => {
  const source = Manager.allocateMemory(2 ** 20).fill(1);
  const target = Manager.allocateMemory(2 ** 20);
  const before = os.availableParallelism;
  const answers: readonly unknown[] = [NaN, -1, 0, 1.5, 1e9, '2', {}, undefined];
  const breakers = [...answers.map((answer) => () => answer), (): never => { throw new Error('broken'); }];
  try {
    for (const breaker of breakers) {
      Object.assign(os, { availableParallelism: breaker });
      target.fill(0);
      await Manager.copyMemoryAsync(source, 0, target, 0, 2 ** 20);
      t.true(target.equals(source));
    }
  } finally {
    Object.assign(os, { availableParallelism: before });
    source.free();
    target.free();
  }
});
