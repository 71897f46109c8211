// Properties of views (escapes are in views.escape.spec.ts):
// - bytes, view, toArrayBuffer and createDirectByteBuffer show the same bytes as the accessors and as native code do
// - toArrayBuffer has exactly `size` bytes and is the same object each time
// - after free, dispose, realloc and freeAllMemory every view of every kind has length 0
// - pins and leases refuse free and realloc and outlast freeAllMemory; a lease ends however its function ends
// - a kept buffer serves its chunk's next owner where the engine can move it, and external memory does not grow
// - the address of a view is that of its bytes; accessors make no ArrayBuffer of the block
import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { DirectMemoryManager as Manager, OffHeapError } from '../index.js';
import type { MemoryBlock, ViewConstructor } from '../index.js';
import { ROW } from '../facade/handles/facts.js';
import { wasViewed } from '../facade/handles/table.js';
import { binding } from '../facade/native.js';
import { freeEverything } from './_settled.js';

const IN_USE = 'ERR_OFFHEAP_IN_USE';
const TYPE = 'ERR_INVALID_ARG_TYPE';
const RANGE = 'ERR_OUT_OF_RANGE';
const MIB = 2 ** 20;
const moves = 'transfer' in ArrayBuffer.prototype;

const VIEW_CLASSES: readonly ViewConstructor[] = Object.getOwnPropertyNames(globalThis)
  .filter((name) => /^(?:Big)?(?:Int|Uint|Float)\d+(?:Clamped)?Array$|^DataView$/.test(name))
  .map((name) => Reflect.get(globalThis, name) as ViewConstructor);

function refuses(t: ExecutionContext, act: () => unknown, code: string, about?: string): OffHeapError {
  const instanceOf = code === RANGE ? RangeError : code === TYPE ? TypeError : OffHeapError;
  return t.throws<OffHeapError>(act, { instanceOf, code } as never, about) as OffHeapError;
}

/** One view of every kind. */
function everyView(block: MemoryBlock): ArrayBufferView[] {
  const buffer = block.toArrayBuffer();
  return [
    block.bytes(),
    block.bytes(8, 8),
    ...VIEW_CLASSES.map((Kind) => block.view(Kind)),
    ...VIEW_CLASSES.map((Kind) => block.view(Kind, 8, 1)),
    Manager.createDirectByteBuffer(block),
    Manager.createDirectByteBuffer(block, 3, 5),
    new Uint8Array(buffer),
    Buffer.from(buffer, 1, 2),
    new DataView(buffer, 4),
    block.bytes().subarray(1, 9),
  ];
}

/** Bytes of views and buffers; a DataView without memory throws in its own getter. */
function lengthOf(view: ArrayBufferView | ArrayBuffer): number {
  return view instanceof DataView ? view.buffer.byteLength : view.byteLength;
}

/** Sizes that fill their chunk and that do not, small chunks and page runs. */
const SIZES = [64, 100, 4096, 5000, 40_960, 50_000, 2 * MIB];

test.afterEach.always('nothing stays', async (t) => {
  t.is(await freeEverything(), 0);
});

test.serial('every view shows the bytes that the others, the accessors and native code write', (t) => {
  for (const size of SIZES) {
    const block = Manager.allocateMemory(size, 'word', { zeroed: true });
    block.setUint8(8, 1); // before the first view
    const views = [block.bytes(), block.view(Uint8Array), new Uint8Array(block.toArrayBuffer()), Manager.createDirectByteBuffer(block), block.bytes(8, 16), Manager.createDirectByteBuffer(block, 8)];
    const at = (view: Uint8Array): number => (view === views[4] || view === views[5] ? 0 : 8);
    const writers: ((value: number) => void)[] = [
      ...views.map((view) => (value: number) => void (view[at(view)] = value)),
      (value) => block.setUint8(8, value),
      (value) => Manager.setMemory(block, 8, 1, value),
      (value) => Manager.copyMemory(Uint8Array.of(value), 0, block, 8, 1),
      (value) => block.view(DataView, 8, 1).setUint8(0, value),
    ];
    writers.forEach((write, index) => {
      write(index + 100);
      t.deepEqual(views.map((view) => view[at(view)]), views.map(() => index + 100), `writer ${index}, ${size}`);
      t.is(block.getUint8(8), index + 100);
      t.is(block.copyOut(8, 1)[0], index + 100);
      t.is(Manager.compareMemory(block, 8, Uint8Array.of(index + 100), 0, 1), 0);
    });
    block.free();
  }
});

test.serial('toArrayBuffer has exactly the size, and is the same object each time', (t) => {
  for (const size of [1, 15, 16, ...SIZES]) {
    const block = Manager.allocateMemory(size);
    if (size % 3 === 0) block.bytes();
    const buffer = block.toArrayBuffer();
    t.true(buffer instanceof ArrayBuffer);
    t.is(buffer.byteLength, size);
    t.is(block.toArrayBuffer(), buffer);
    const next = Manager.reallocateMemory(block, size + 1);
    t.is(buffer.byteLength, 0);
    t.is(next.toArrayBuffer().byteLength, size + 1);
    t.not(next.toArrayBuffer(), buffer);
  }
});

test.serial('view makes each kind of view, offset in bytes, length in elements', (t) => {
  const block = Manager.allocateMemory(100, 'word', { zeroed: true });
  for (const Kind of VIEW_CLASSES) {
    const width = 'BYTES_PER_ELEMENT' in Kind ? Kind.BYTES_PER_ELEMENT : 1;
    const whole = block.view(Kind);
    t.true(whole instanceof Kind);
    t.is(whole.byteLength, Math.floor(100 / width) * width);
    const part = block.view(Kind, 2 * width, 3);
    t.is(part.byteLength, 3 * width);
    t.is(Manager.getDirectBufferAddress(part), block.address + BigInt(2 * width));
    t.is(lengthOf(block.view(Kind, 96, 0)) % width, 0);
    const most = Math.floor(100 / width);
    for (const [offset = 0, length] of [[104, 0], [0, most + 1], [width, most], [-width, 1], [0, -1], [NaN, 1], [0, 1.5], [0, 2 ** 53 - 1]]) {
      refuses(t, () => block.view(Kind, offset, length), RANGE, `${Kind.name} ${offset} ${length}`);
    }
    if (width > 1) refuses(t, () => block.view(Kind, width / 2, 1), RANGE, 'an offset inside an element');
    for (const bad of ['0', null, {}, 1n]) refuses(t, () => block.view(Kind, bad as number), TYPE);
  }
  for (const bad of [null, undefined, 'Uint8Array', {}, 8]) refuses(t, () => block.view(bad as never), TYPE);
  for (const bad of [Array, Map, Object, ArrayBuffer, Buffer, class extends Uint8Array {}]) {
    t.throws(() => block.view(bad as never), { instanceOf: TypeError, code: 'ERR_INVALID_ARG_VALUE' });
  }
});

const DEATHS: readonly { readonly how: string; readonly kill: (block: MemoryBlock) => void }[] = [
  { how: 'free', kill: (block) => block.free() },
  { how: 'freeMemory', kill: (block) => Manager.freeMemory(block) },
  { how: 'dispose', kill: (block) => block[Symbol.dispose]() },
  { how: 'a reallocation that moves', kill: (block) => void Manager.reallocateMemory(block, block.size * 8) },
  { how: 'a reallocation in place', kill: (block) => void Manager.reallocateMemory(block, block.size) },
  { how: 'freeAllMemory', kill: () => void Manager.freeAllMemory() },
];

for (const { how, kill } of DEATHS) {
  test.serial(`after ${how} every view has length 0, and its bytes cannot be reached`, (t) => {
    for (const size of SIZES) {
      for (const round of [1, 2, 3]) {
        const block = Manager.allocateMemory(size);
        const views = everyView(block);
        const buffers = new Set(views.map((view) => view.buffer as ArrayBuffer));
        t.true(views.every((view) => lengthOf(view) > 0));
        kill(block);
        const next = Manager.allocateMemory(size).fill(1);
        const nextView = next.bytes();
        for (const view of views) {
          t.is(lengthOf(view), 0);
          if (view instanceof Uint8Array) {
            view[0] = 0x66;
            t.is(view[0] as unknown, undefined);
          } else t.throws(() => new Uint8Array(view.buffer as ArrayBuffer, 0, 1));
        }
        for (const buffer of buffers) t.is(buffer.byteLength, 0);
        t.true(next.equals(Buffer.alloc(size, 1)), `round ${round}`);
        t.is(nextView.length, size, 'the next owner has its own');
        next.free();
      }
    }
  });
}

test.serial('a pin refuses free, realloc and dispose, changes nothing, and outlasts freeAllMemory', (t) => {
  const block = Manager.allocateMemory(100).fill(3);
  const views = everyView(block);
  const [one, two] = [block.pin(), block.pin()];
  for (const act of [() => block.free(), () => Manager.freeMemory(block), () => block[Symbol.dispose](), () => Manager.reallocateMemory(block, 50)]) {
    t.is(refuses(t, act, IN_USE).pins, 2);
  }
  t.is(Manager.freeAllMemory(), 0);
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  t.is(refuses(t, () => block.free(), IN_USE).pins, 1, 'a pin is dropped once');
  t.true(views.every((view) => lengthOf(view) > 0));
  t.true(block.equals(Buffer.alloc(100, 3)));
  two[Symbol.dispose]();
  block.free();
  t.true(views.every((view) => lengthOf(view) === 0));
  t.notThrows(() => two[Symbol.dispose]());
});

test.serial('65,535 pins are held, one more is refused, and all can be dropped', (t) => {
  const block = Manager.allocateMemory(64);
  const view = block.bytes();
  const pins = Array.from({ length: 65_535 }, () => block.pin());
  t.is(refuses(t, () => block.pin(), IN_USE).pins, 65_535);
  t.is(refuses(t, () => block.free(), IN_USE).pins, 65_535);
  t.is(refuses(t, () => Manager.reallocateMemory(block, 8), IN_USE).pins, 65_535);
  t.is(Manager.freeAllMemory(), 0);
  t.true(block.isValid());
  t.is(view.length, 64);
  pins.pop()?.[Symbol.dispose]();
  pins.push(block.pin());
  for (const pin of pins) pin[Symbol.dispose]();
  t.notThrows(() => block.free());
});

test.serial('a lease hands out the bytes and ends with its function: returned, awaited, thrown or rejected', async (t) => {
  const block = Manager.allocateMemory(100).fill(5);
  const free = (): void => block.free();
  t.is(await block.lease((bytes) => bytes.length + (bytes[99] as number)), 105);
  t.is(await block.lease(async (bytes) => (await turn(), bytes.length)), 100);
  await t.throwsAsync(block.lease(() => { throw new RangeError('thrown'); }), { instanceOf: RangeError, message: 'thrown' });
  await t.throwsAsync(block.lease(async () => { await turn(); throw new RangeError('rejected'); }), { instanceOf: RangeError, message: 'rejected' });
  await t.throwsAsync(block.lease(free), { instanceOf: OffHeapError, code: IN_USE }, 'free inside');
  await t.throwsAsync(block.lease(null as never), { instanceOf: TypeError, code: TYPE });
  t.true(block.isValid());
  t.notThrows(free);
});

test.serial('while leases last, free and realloc refuse, and freeAllMemory leaves the block', async (t) => {
  const block = Manager.allocateMemory(100);
  const ends: (() => void)[] = [];
  const leases = [0, 1].map(() => block.lease((bytes) => new Promise<number>((resolve) => ends.push(() => resolve(bytes.length)))));
  await turn();
  refuses(t, () => block.free(), IN_USE);
  refuses(t, () => Manager.reallocateMemory(block, 10), IN_USE);
  t.is(Manager.freeAllMemory(), 0);
  ends[0]?.();
  t.is(await leases[0], 100);
  t.is(refuses(t, () => block.free(), IN_USE).pins, 1);
  ends[1]?.();
  t.is(await leases[1], 100);
  t.notThrows(() => block.free());
});

/** The next block at an address: what was viewed waits until others that were have displaced it, and lies below them then. */
function ownerOf(address: bigint, size: number): MemoryBlock | undefined {
  for (let round = 0; round < 10; round += 1) {
    const others: MemoryBlock[] = [];
    let found: MemoryBlock | undefined;
    for (let index = 0; index < 300 && found === undefined; index += 1) {
      const block = Manager.allocateMemory(size);
      if (block.address === address) {
        found = block;
      } else {
        block.bytes();
        others.push(block);
      }
    }
    for (const block of others) block.free();
    if (found !== undefined) return found;
  }
  return undefined;
}

test.serial(`the next owner of a chunk gets ${moves ? 'its kept buffer, moved' : 'a new buffer'}`, (t) => {
  const { chunkBuffer } = binding;
  let made = 0;
  binding.chunkBuffer = (...args) => ((made += 1), chunkBuffer(...args));
  try {
    for (const size of [64, 100, 40_960, MIB]) {
      const first = Manager.allocateMemory(size);
      const { address } = first;
      const old = first.bytes();
      first.free();
      const next = ownerOf(address, size) as MemoryBlock;
      t.is(next.address, address);
      made = 0;
      next.bytes();
      t.is(made, moves ? 0 : 1);
      t.is(next.toArrayBuffer().byteLength, size);
      t.is(old.length, 0);
      next.free();
    }
  } finally {
    binding.chunkBuffer = chunkBuffer;
  }
});

test.serial('many owners in a row take views of one chunk, and external memory does not grow', async (t) => {
  const addresses = new Set<bigint>();
  const round = (): void => {
    for (let index = 0; index < 20_000; index += 1) {
      const block = Manager.allocateMemory(64 * 1024);
      if (index % 100 === 0) addresses.add(block.address);
      block.bytes()[index] = 1;
      block.free();
    }
  };
  round();
  await turn();
  globalThis.gc?.();
  const { external, arrayBuffers } = process.memoryUsage();
  round();
  if (!moves) {
    await turn();
    globalThis.gc?.();
    await turn();
  }
  const after = process.memoryUsage();
  t.true(after.external - external < MIB, `external grew by ${after.external - external}`);
  t.true(after.arrayBuffers - arrayBuffers < MIB);
  t.true(addresses.size < 300, `${addresses.size} chunks`);
});

/** External memory when all that may be collected is. */
async function settledExternal(): Promise<number> {
  for (let count = 0; count < 3; count += 1) {
    await turn();
    globalThis.gc?.();
  }
  return process.memoryUsage().external;
}

test.serial('an exact buffer of each owner is no leak either', async (t) => {
  const figures: number[] = [];
  for (let round = 0; round < 2; round += 1) {
    for (let index = 0; index < 5000; index += 1) {
      const block = Manager.allocateMemory(50_000);
      block.toArrayBuffer();
      block.free();
    }
    figures.push(await settledExternal());
  }
  const [first = 0, second = 0] = figures;
  t.true(second - first < MIB, `external grew by ${second - first}`);
});

test.serial('the address of a view is that of the block and of its place in it', (t) => {
  for (const size of SIZES) {
    const block = Manager.allocateMemory(size);
    const { address } = block;
    for (const view of [block.bytes(), block.toArrayBuffer(), block.view(DataView), block.view(Float64Array), Manager.createDirectByteBuffer(block)]) {
      t.is(Manager.getDirectBufferAddress(view), address);
    }
    t.is(Manager.getDirectBufferAddress(block.bytes(7)), address + 7n);
    t.is(Manager.getDirectBufferAddress(block.view(Uint16Array, 6, 2)), address + 6n);
    t.is(Manager.getDirectBufferAddress(Manager.createDirectByteBuffer(block, 9, 1)), address + 9n);
    t.is(Manager.getDirectBufferAddress(block.bytes(size)), address + BigInt(size), 'an empty part lies somewhere too');
    block.free();
  }
});

test.serial('Buffers, small typed arrays and ArrayBuffers have an address that stays', (t) => {
  const buffer = new ArrayBuffer(64);
  const base = Manager.getDirectBufferAddress(buffer);
  t.true(base > 0n);
  t.is(Manager.getDirectBufferAddress(new Float32Array(buffer, 8, 2)), base + 8n);
  t.is(Manager.getDirectBufferAddress(new DataView(buffer, 3)), base + 3n);
  const pooled = Buffer.from('pooled');
  t.is(Manager.getDirectBufferAddress(pooled), Manager.getDirectBufferAddress(pooled.buffer as ArrayBuffer) + BigInt(pooled.byteOffset));
  for (const small of [new Uint8Array(4), new Uint16Array([1, 2]), new Float64Array(2), new BigInt64Array(1)]) {
    const address = Manager.getDirectBufferAddress(small);
    t.true(address > 0n);
    globalThis.gc?.();
    t.is(Manager.getDirectBufferAddress(small), address);
    t.is(Manager.getDirectBufferAddress(small.buffer), address);
    t.is(Manager.getDirectBufferAddress(small.subarray(1)), address + BigInt(small.BYTES_PER_ELEMENT));
    t.is(Manager.getDirectBufferAddress(small.subarray(small.length)), address + BigInt(small.byteLength));
  }
  for (const bad of [null, undefined, 1, 'x', {}, [1], Manager.allocateMemory(8)]) refuses(t, () => Manager.getDirectBufferAddress(bad as never), TYPE);
});

/** Whether a buffer over the block was handed out, as its record or the table says. */
function viewed(block: MemoryBlock): boolean {
  const slot = block.id % 2 ** 24;
  const row = binding.rowOf(slot);
  return wasViewed(slot, row[ROW.generation] as number, ((row[ROW.flags] as number) & 1) !== 0);
}

test.serial('accessors and operations make no ArrayBuffer of the block', (t) => {
  const { chunkBuffer, windowBuffer } = binding;
  let made = 0;
  binding.chunkBuffer = (...args) => ((made += 1), chunkBuffer(...args));
  binding.windowBuffer = (...args) => ((made += 1), windowBuffer(...args));
  try {
    for (const size of [64, 40_960, MIB]) {
      const blocks = Array.from({ length: 100 }, () => Manager.allocateMemory(size));
      for (const block of blocks) {
        block.setFloat64(8, 1.5);
        block.getInt32(4);
        block.fill(1, 0, 8).copyTo(Buffer.alloc(8), 0, 0, 8);
        block.equals(block);
        block.text(0, 8);
        Manager.mismatch(block, 0, block, 8, 8);
      }
      t.false(blocks.some(viewed));
      t.is(made, 0);
      blocks[1]?.toArrayBuffer();
      t.true(viewed(blocks[1] as MemoryBlock), 'the question is a good one');
      Manager.freeAllMemory();
      made = 0;
    }
    Manager.allocateMemory(123_457).bytes();
    t.is(made, 1, 'and so is this one');
  } finally {
    Object.assign(binding, { chunkBuffer, windowBuffer });
  }
});
