// The contract of an allocator, run for all six types (its memory is in allocators.memory.spec.ts, figures in allocators.stats.spec.ts):
// - one allocator per name; each parameter that differs is a mismatch, and says which
// - every address has the alignment that was asked, and every grant lies in the region and shares no byte
// - allocate, tryAllocate, free, reset, close and trim do what the contract says, and refuse what it forbids with the documented error
// - a refusal changes nothing
import test from 'ava';
import { AdvancedMemoryAllocator, AlignmentMode, AllocatedMemory, DirectMemoryManager as Manager } from '../index.js';
import type { Alignment, AllocatorType } from '../index.js';
import { FREEING, KIB, MIB, TYPES, closeAfterEach, keep, open, refuses } from './_allocators.js';

closeAfterEach();

const { getInstance } = AdvancedMemoryAllocator;
const MISMATCH = 'ERR_OFFHEAP_CONFIG_MISMATCH';
const RANGE = 'ERR_OUT_OF_RANGE';
const NO_NUMBERS: readonly unknown[] = ['8', null, undefined, {}, [1], 8n, true, Symbol('8'), { valueOf: () => 8 }];
const NO_SIZES = [0, -0, -1, NaN, 1.5, Infinity, -Infinity, 2 ** 53];

function bytesOf(alignment: Alignment): number {
  if (typeof alignment === 'number') return alignment;
  const { PAGE_SIZE: page, CACHE_LINE_SIZE: line, WORD_SIZE: word } = Manager;
  return { none: 1, word, 'cache-line': line, page }[alignment];
}

for (const type of TYPES) {
  test.serial(`${type}: a name stands for one allocator, and each parameter that differs is a mismatch`, (t) => {
    const allocator = keep(getInstance('orders', type, MIB, 64));
    t.true(allocator instanceof AdvancedMemoryAllocator);
    t.is(getInstance('orders', type, MIB, 64), allocator);
    t.is(getInstance('orders', type, MIB, 64, {}), allocator);
    t.is(getInstance('orders', type, MIB, 64, { overflow: 'error' }), allocator);
    t.deepEqual([allocator.name, allocator.type, allocator.totalSize, allocator.alignment], ['orders', type, MIB, 64]);
    for (const other of TYPES.filter((each) => each !== type)) t.regex(refuses(t, () => getInstance('orders', other, MIB, 64), MISMATCH).message, /type/);
    for (const total of [MIB - 1, MIB + 1, 2 * MIB]) t.regex(refuses(t, () => getInstance('orders', type, total, 64), MISMATCH).message, /totalSize/);
    for (const alignment of [undefined, 1, 128, 'page', 'none'] as const) {
      t.regex(refuses(t, () => getInstance('orders', type, MIB, alignment), MISMATCH, `${alignment}`).message, /alignment/);
    }
    if (type === 'ring') t.regex(refuses(t, () => getInstance('orders', type, MIB, 64, { overflow: 'overwrite-oldest' }), MISMATCH).message, /overflow/);
    t.is(getInstance('orders', type, MIB, 64), allocator, 'a mismatch changes nothing');
    t.not(open(type, MIB, 64), allocator);
  });

  test.serial(`${type}: after close the name is free, for any parameters`, (t) => {
    const first = getInstance('again', type, MIB);
    first.close();
    const other = TYPES[(TYPES.indexOf(type) + 1) % TYPES.length] as AllocatorType;
    const second = keep(getInstance('again', other, 2 * MIB, 128));
    t.not(second as unknown, first);
    t.deepEqual([second.type, second.totalSize, first.type, first.totalSize], [other, 2 * MIB, type, MIB]);
    t.notThrows(() => first.close(), 'a second close is of the first one');
    t.is(second.allocate(8).allocator, second);
    refuses(t, () => first.allocate(8), 'ERR_OFFHEAP_CLOSED');
    second.close();
    const third = keep(getInstance('again', type, MIB));
    t.not(third, first);
    t.is(third.getStats().allocatedBlocks, 0);
  });

  test.serial(`${type}: every address has the alignment, and no two grants share a byte`, (t) => {
    for (const alignment of [...Object.values(AlignmentMode), 1, 2, 4, 8, 16, 256, 4096, 16_384]) {
      const allocator = open(type, 4 * MIB, alignment);
      const ranges: [number, number][] = [];
      for (const size of [1, 3, 8, 17, 100, 1000, 4096, 5000, 16_000, 1, 2]) {
        const memory = allocator.tryAllocate(size);
        if (memory === null) continue;
        t.is(memory.address % BigInt(bytesOf(alignment)), 0n, `${alignment} ${size}`);
        t.is(memory.offset % bytesOf(alignment), 0);
        t.deepEqual([memory.size, memory.requestedSize], [size, size]);
        t.true(memory.allocatedSize >= size && memory.offset + memory.allocatedSize <= 4 * MIB);
        ranges.push([memory.offset, memory.offset + memory.allocatedSize]);
      }
      t.true(ranges.length >= 9, `${alignment}: ${ranges.length}`);
      ranges.sort(([a], [b]) => a - b);
      for (let index = 1; index < ranges.length; index += 1) t.true((ranges[index] as [number, number])[0] >= (ranges[index - 1] as [number, number])[1]);
      allocator.close();
    }
  });

  test.serial(`${type}: allocates until it is full, then refuses with figures, and tryAllocate gives null`, (t) => {
    const allocator = open(type, 256 * KIB);
    const all = [];
    for (let memory = allocator.tryAllocate(1000); memory !== null; memory = allocator.tryAllocate(1000)) all.push(memory.fill(all.length & 255));
    t.true(all.length > 100 && all.length * 1000 <= 256 * KIB, `${all.length}`);
    const before = allocator.getStats();
    const error = refuses(t, () => allocator.allocate(1000), 'ERR_OFFHEAP_REGION_FULL');
    t.deepEqual([error.requested, error.available], [1000, before.largestFree]);
    t.is(allocator.tryAllocate(1000), null);
    t.deepEqual(allocator.getStats(), before);
    t.is(all.findIndex((memory, index) => memory.getUint8(999) !== (index & 255)), -1, 'contents are kept');
  });

  test.serial(`${type}: what can never fit is out of range, also for tryAllocate, and changes nothing`, (t) => {
    const allocator = open(type);
    const before = allocator.getStats();
    for (const size of [MIB + 1, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER, ...NO_SIZES]) {
      refuses(t, () => allocator.allocate(size), RANGE, `${size}`);
      refuses(t, () => allocator.tryAllocate(size), RANGE, `${size}`);
    }
    for (const size of NO_NUMBERS) {
      refuses(t, () => allocator.allocate(size as never), 'ERR_INVALID_ARG_TYPE');
      refuses(t, () => allocator.tryAllocate(size as never), 'ERR_INVALID_ARG_TYPE');
    }
    for (const label of [null, 8, {}, Symbol('x')]) refuses(t, () => allocator.allocate(8, label as never), 'ERR_INVALID_ARG_TYPE');
    refuses(t, () => allocator.allocate(8, 'x'.repeat(257)), 'ERR_INVALID_ARG_VALUE');
    t.deepEqual(allocator.getStats(), before);
  });

  test.serial(`${type}: each way to free frees once; free twice is refused, dispose is not`, (t) => {
    const [allocator, other] = [open(type), open(type)];
    const stranger = other.allocate(64).fill(3);
    for (const free of [(memory: AllocatedMemory) => memory.free(), (memory: AllocatedMemory) => allocator.free(memory), (memory: AllocatedMemory) => memory[Symbol.dispose]()]) {
      const memory = allocator.allocate(64).fill(1);
      refuses(t, () => other.free(memory), 'ERR_OFFHEAP_FOREIGN_BLOCK');
      t.true(memory.isValid() && memory.getUint8(63) === 1);
      free(memory);
      t.false(memory.isValid());
      for (const again of [() => memory.free(), () => allocator.free(memory), () => other.free(memory)]) refuses(t, again, 'ERR_OFFHEAP_DOUBLE_FREE');
      t.notThrows(() => memory[Symbol.dispose]());
      t.is(allocator.getStats().allocatedBlocks, 0);
    }
    for (const value of [null, undefined, 8, 'x', {}, [], Manager.allocateMemory(8), { ...stranger }, Object.create(stranger), new Proxy(stranger, {})]) {
      refuses(t, () => other.free(value as never), 'ERR_INVALID_ARG_TYPE');
    }
    t.is(stranger.getUint8(0), 3);
  });

  test.serial(`${type}: reset ends all memory at once, and the whole region is free again`, (t) => {
    const allocator = open(type);
    const empty = allocator.getStats();
    for (let round = 0; round < 3; round += 1) {
      const all = Array.from({ length: 20 }, (_, index) => allocator.allocate(10 + 800 * (index % 5)).fill(7));
      all[3]?.free();
      allocator.reset();
      for (const memory of all) {
        t.false(memory.isValid());
        refuses(t, () => memory.getUint8(0), 'ERR_OFFHEAP_USE_AFTER_FREE');
        refuses(t, () => memory.free(), 'ERR_OFFHEAP_USE_AFTER_FREE');
        refuses(t, () => allocator.free(memory), 'ERR_OFFHEAP_USE_AFTER_FREE');
        t.notThrows(() => memory[Symbol.dispose]());
      }
      const { allocatedSize, requestedSize, allocatedBlocks, freeSize, largestFree } = allocator.getStats();
      t.deepEqual([allocatedSize, requestedSize, allocatedBlocks, freeSize, largestFree], [0, 0, 0, MIB, empty.largestFree]);
    }
    allocator.allocate(empty.largestFree).fill(1, 0, 1).free();
  });

  test.serial(`${type}: pinned memory holds off free, reset and close, and nothing changes`, (t) => {
    const allocator = open(type);
    const [pinned, other] = [allocator.allocate(64).fill(1), allocator.allocate(64).fill(2)];
    const pins = [pinned.pin(), pinned.pin()];
    const before = allocator.getStats();
    for (const pin of pins) {
      for (const act of [() => pinned.free(), () => allocator.free(pinned), () => pinned[Symbol.dispose](), () => allocator.reset(), () => allocator.close()]) {
        refuses(t, act, 'ERR_OFFHEAP_IN_USE', String(act));
      }
      t.deepEqual(allocator.getStats(), before);
      t.deepEqual([pinned.getUint8(63), other.getUint8(63)], [1, 2]);
      pin[Symbol.dispose]();
      t.notThrows(() => pin[Symbol.dispose](), 'twice is once');
    }
    pinned.free();
    t.notThrows(() => pins[0]?.[Symbol.dispose]());
    allocator.reset();
    allocator.close();
  });

  test.serial(`${type}: a closed allocator tells its name, and refuses the rest; its memory does too`, (t) => {
    const [allocator, other] = [open(type), open(type)];
    const [memory, freed, foreign] = [allocator.allocate(64), allocator.allocate(64), other.allocate(64)];
    freed.free();
    allocator.close();
    allocator.close();
    allocator[Symbol.dispose]();
    t.deepEqual([allocator.type, allocator.totalSize], [type, MIB]);
    t.regex(String(allocator), /closed/);
    const acts = [
      () => allocator.allocate(8),
      () => allocator.tryAllocate(8),
      () => allocator.free(memory),
      () => allocator.free(foreign),
      () => allocator.reset(),
      () => allocator.trim(),
      () => allocator.getStats(),
      () => memory.getUint8(0),
      () => memory.bytes(),
      () => memory.free(),
      () => freed.free(),
      () => freed.getUint8(0),
    ];
    for (const act of acts) refuses(t, act, 'ERR_OFFHEAP_CLOSED', String(act));
    t.notThrows(() => memory[Symbol.dispose]());
    t.false(memory.isValid());
    t.true(foreign.isValid());
    t.deepEqual([memory.size, memory.allocator], [64, allocator]);
  });

  test.serial(`${type}: using closes the allocator and frees the memory`, (t) => {
    let allocator: AdvancedMemoryAllocator;
    let memory: AllocatedMemory;
    {
      using scoped = getInstance('scoped', type, MIB);
      allocator = scoped;
      {
        using inner = scoped.allocate(64);
        memory = inner;
        t.true(memory.isValid());
      }
      refuses(t, () => memory.free(), 'ERR_OFFHEAP_DOUBLE_FREE');
    }
    refuses(t, () => allocator.getStats(), 'ERR_OFFHEAP_CLOSED');
  });

  test.serial(`${type}: trim gives pages of free memory back, and no byte of what is live`, (t) => {
    const allocator = open(type, 8 * MIB);
    const kept = allocator.allocate(5000).fill(9);
    const big = type === 'slab' ? 16 * KIB : 256 * KIB;
    const others = Array.from({ length: Math.floor((4 * MIB) / big) }, () => allocator.allocate(big).fill(5));
    for (const memory of others) memory.free();
    const given = allocator.trim();
    t.true(Number.isSafeInteger(given) && given >= 0 && given <= 8 * MIB);
    if (type !== 'arena' && process.platform === 'linux') t.true(given >= 2 * MIB, `${given}`);
    t.is(allocator.trim(), 0, 'there is nothing more');
    t.deepEqual(kept.copyOut(), Buffer.alloc(5000, 9));
    if (type === 'arena') return;
    t.true(allocator.allocate(big).fill(1).getUint8(big - 1) === 1);
  });
}

test.serial('names, types, sizes, alignments and options that are none are refused, and open nothing', (t) => {
  const name = 'x';
  for (const bad of ['', 'x'.repeat(257), 'x'.repeat(10_240), '\ud800', 'x\udfff']) refuses(t, () => getInstance(bad, 'slab', MIB), 'ERR_INVALID_ARG_VALUE');
  for (const bad of [null, undefined, 8, {}, ['x'], Symbol('x')]) refuses(t, () => getInstance(bad as never, 'slab', MIB), 'ERR_INVALID_ARG_TYPE');
  for (const bad of ['BUDDY_SYSTEM', 'Slab', '', 'constructor']) refuses(t, () => getInstance(name, bad as never, MIB), 'ERR_INVALID_ARG_VALUE');
  for (const bad of [null, undefined, 0, {}]) refuses(t, () => getInstance(name, bad as never, MIB), 'ERR_INVALID_ARG_TYPE');
  for (const type of TYPES) {
    for (const bad of NO_SIZES) refuses(t, () => getInstance(name, type, bad), RANGE, `${bad}`);
    for (const bad of NO_NUMBERS) refuses(t, () => getInstance(name, type, bad as never), 'ERR_INVALID_ARG_TYPE');
    for (const bad of [0, 3, -1, NaN, 1.5, 'WORD', '']) refuses(t, () => getInstance(name, type, MIB, bad as never), 'ERR_INVALID_ARG_VALUE', `${bad}`);
    for (const bad of [null, {}, 8n, true]) refuses(t, () => getInstance(name, type, MIB, bad as never), 'ERR_INVALID_ARG_TYPE');
    for (const bad of [2 * MIB, 2 ** 30, 2 ** 31]) refuses(t, () => getInstance(name, type, MIB, bad), RANGE);
    refuses(t, () => getInstance(name, type, 100, 'page'), RANGE);
    for (const bad of [null, 8, 'x', [], { overflow: 8 }, { overflow: null }]) refuses(t, () => getInstance(name, type, MIB, 8, bad as never), 'ERR_INVALID_ARG_TYPE');
    refuses(t, () => getInstance(name, type, MIB, 8, { overflow: 'drop' } as never), 'ERR_INVALID_ARG_VALUE');
    if (type !== 'ring') refuses(t, () => getInstance(name, type, MIB, 8, { overflow: 'overwrite-oldest' }), 'ERR_INVALID_ARG_VALUE');
    refuses(t, () => getInstance(name, type, Number.MAX_SAFE_INTEGER), 'ERR_OFFHEAP_OUT_OF_MEMORY');
  }
  t.deepEqual(Manager.getMemoryStats().byAllocator, []);
});

test.serial('a name has 1 to 256 characters, of any kind', (t) => {
  for (const name of ['x', ' ', '__proto__', 'constructor', 'käse \u{1f9c0}', 'x'.repeat(256), '\u{ffff}'.repeat(256), '\u0000']) {
    const allocator = keep(getInstance(name, 'slab', MIB));
    t.is(allocator.name, name);
    t.is(getInstance(name, 'slab', MIB), allocator);
    t.deepEqual(Manager.getMemoryStats().byAllocator.map((row) => row.name), [name]);
    allocator.close();
  }
});

test.serial('an allocator and its memory are got, not constructed; a forged one is refused', (t) => {
  refuses(t, () => Reflect.construct(AdvancedMemoryAllocator, ['x', 'slab', MIB]), 'ERR_INVALID_ARG_TYPE');
  refuses(t, () => Reflect.construct(AllocatedMemory, [{}, 0, 0, 8, 0]), 'ERR_INVALID_ARG_TYPE');
  const allocator = open('slab');
  for (const forged of [Object.create(AdvancedMemoryAllocator.prototype), Object.create(allocator), new Proxy(allocator, {}), {}, null]) {
    for (const method of ['allocate', 'tryAllocate', 'free', 'reset', 'close', 'trim', 'getStats', 'mark', 'rewind', 'toString', Symbol.dispose] as const) {
      refuses(t, () => Reflect.apply(AdvancedMemoryAllocator.prototype[method] as () => unknown, forged, [8]), 'ERR_INVALID_ARG_TYPE', String(method));
    }
  }
  t.is(allocator.getStats().allocatedBlocks, 0);
});

test.serial('many allocators of one size wait for each other, and a hundred of all types live side by side', (t) => {
  const all = Array.from({ length: 102 }, (_, index) => open(TYPES[index % 6] as AllocatorType, 128 * KIB));
  const memories = all.map((allocator, index) => allocator.allocate(100).fill(index));
  t.is(new Set(memories.map(({ address }) => address)).size, 102);
  t.is(memories.findIndex((memory, index) => memory.getUint8(99) !== index), -1);
  t.is(Manager.getMemoryStats().byAllocator.length, 102);
  for (const type of FREEING) for (let round = 0; round < 50; round += 1) open(type, 128 * KIB).close();
});
