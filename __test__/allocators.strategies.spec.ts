// What each strategy promises beyond the common contract:
// - buddy: powers of two; all free again is one block again; any total is a forest of which nothing is lost
// - slab: size classes; a request above the top class is refused with that class; emptied spans serve other classes
// - arena: addresses in order, nothing past the end, marks that nest, rewinds that end exactly what came after
// - ring: room comes back in the order of allocation, whatever the order of frees; overwrite-oldest ends the oldest alone
// - pool: the slot freed last is the next one of its size; hybrid: small, middle and large are all freeable, and what is larger than 4 MiB
//   gives its pages back at its free, not at the next trim
import test from 'ava';
import { AdvancedMemoryAllocator, DirectMemoryManager as Manager } from '../index.js';
import type { AllocatedMemory } from '../index.js';
import { KIB, MIB, TYPES, closeAfterEach, open, refuses } from './_allocators.js';

closeAfterEach();

const USED = 'ERR_OFFHEAP_USE_AFTER_FREE';
const FULL = 'ERR_OFFHEAP_REGION_FULL';
const VALUE = 'ERR_INVALID_ARG_VALUE';

/** Allocates until there is no room. */
function fill(allocator: AdvancedMemoryAllocator, size: number): AllocatedMemory[] {
  const all: AllocatedMemory[] = [];
  for (let memory = allocator.tryAllocate(size); memory !== null; memory = allocator.tryAllocate(size)) all.push(memory);
  return all;
}

/** A fixed order that is none. */
function shuffled<Item>(items: readonly Item[]): Item[] {
  return items.map((item, index) => ({ item, key: (index * 7919) % 1009 })).sort((a, b) => a.key - b.key).map(({ item }) => item);
}

test.serial('buddy grants powers of two, from 64 bytes on', (t) => {
  const allocator = open('buddy');
  for (const [size, granted] of [[1, 64], [64, 64], [65, 128], [4096, 4096], [4097, 8192], [300_000, 524_288]] as const) {
    const memory = allocator.allocate(size);
    t.deepEqual([memory.allocatedSize, memory.offset % granted], [granted, 0]);
    memory.free();
  }
});

test.serial('buddy joins all that is freed, in any order, to one block of the whole size', (t) => {
  const allocator = open('buddy');
  for (const size of [64, 100, 4096, 70_000]) {
    const all = fill(allocator, size);
    t.is(allocator.getStats().largestFree, 0);
    for (const memory of shuffled(all)) memory.free();
    const { largestFree, freeBlocks, allocatedSize, fragmentationPercent } = allocator.getStats();
    t.deepEqual([largestFree, freeBlocks, allocatedSize, fragmentationPercent], [MIB, 1, 0, { internal: 0, external: 0 }]);
    const whole = allocator.allocate(MIB);
    t.is(whole.offset, 0);
    whole.free();
  }
});

test.serial('buddy of any total is a forest, of which at most the smallest block is lost', (t) => {
  for (const total of [64, 100, 128, 192, 1000, 4160, 100_000, MIB - 64, MIB + 64, 3 * MIB + 4096]) {
    const allocator = open('buddy', total);
    const all = fill(allocator, 64);
    t.is(all.length, Math.floor(total / 64), `${total}`);
    t.true(all.every((memory) => memory.offset + 64 <= total));
    for (const memory of shuffled(all)) memory.free();
    const largest = 2 ** Math.floor(Math.log2(total));
    t.is(allocator.getStats().largestFree, largest);
    allocator.allocate(largest).free();
    t.is(allocator.getStats().allocatedSize, 0);
    allocator.close();
  }
});

test.serial('slab refuses what is above its top class, and says which that is', (t) => {
  const allocator = open('slab');
  t.is(allocator.allocate(16 * KIB).allocatedSize, 16 * KIB);
  for (const size of [16 * KIB + 1, 100_000, MIB]) {
    t.regex(refuses(t, () => allocator.allocate(size), 'ERR_OUT_OF_RANGE').message, /16384/);
    refuses(t, () => allocator.tryAllocate(size), 'ERR_OUT_OF_RANGE');
  }
});

test.serial('slab wastes at most a quarter above 64 bytes, and a span that is empty serves any class', (t) => {
  const allocator = open('slab');
  for (let size = 65; size <= 16 * KIB; size = Math.floor(size * 1.09) + 1) {
    const memory = allocator.allocate(size);
    t.true(memory.allocatedSize >= size && memory.allocatedSize < size * 1.25 + 1, `${size}: ${memory.allocatedSize}`);
    memory.free();
  }
  const counts = [16, 100, 1000, 16 * KIB, 16].map((size) => {
    const all = fill(allocator, size);
    for (const memory of shuffled(all)) memory.free();
    return all.length;
  });
  t.deepEqual(counts, [65_536, 9362, 1024, 64, 65_536].map((most, index) => (index === 1 || index === 2 ? counts[index] : most)));
  t.true((counts[1] as number) * 112 > 0.95 * MIB && (counts[2] as number) * 1024 > 0.95 * MIB, `${counts}`);
});

test.serial('arena grants one behind the other, and nothing past the end', (t) => {
  const allocator = open('arena', 10_000, 64);
  const all = fill(allocator, 100);
  t.deepEqual(all.map(({ offset }) => offset), Array.from({ length: 78 }, (_, index) => 128 * index));
  t.is(allocator.tryAllocate(17), null, '10,000 − 78 · 128 = 16 bytes are left');
  const last = allocator.allocate(16);
  t.deepEqual([last.offset, last.offset + last.size], [9984, 10_000]);
  t.is(allocator.tryAllocate(1), null);
  allocator.reset();
  t.is(allocator.allocate(10_000).offset, 0, 'the whole region at once');
  refuses(t, () => allocator.allocate(1), FULL);
});

test.serial('arena: a large request is refused when it does not fit, and small ones still fit', (t) => {
  const allocator = open('arena', MIB);
  allocator.allocate(8);
  refuses(t, () => allocator.allocate(MIB), FULL);
  refuses(t, () => allocator.allocate(MIB + 1), 'ERR_OUT_OF_RANGE');
  t.is(allocator.allocate(8).offset, 8);
});

test.serial('arena: free gives no room back, rewind and reset do', (t) => {
  const allocator = open('arena', 1024);
  const mark = allocator.mark();
  const memory = allocator.allocate(1024);
  memory.free();
  t.deepEqual([allocator.getStats().allocatedBlocks, allocator.getStats().allocatedSize, allocator.getStats().requestedSize], [0, 1024, 0]);
  t.is(allocator.tryAllocate(1), null);
  allocator.rewind(mark);
  refuses(t, () => memory.free(), 'ERR_OFFHEAP_DOUBLE_FREE');
  t.is(allocator.allocate(1024).offset, 0);
});

test.serial('arena: marks nest; a rewind ends what came after, keeps what came before, and may come again', (t) => {
  const allocator = open('arena');
  const before = allocator.allocate(100).fill(1);
  const outer = allocator.mark();
  for (let round = 0; round < 3; round += 1) {
    const middle = allocator.allocate(100).fill(2);
    const inner = allocator.mark();
    const innermost = allocator.allocate(100).fill(3);
    allocator.rewind(inner);
    t.deepEqual([before.isValid(), middle.isValid(), innermost.isValid()], [true, true, false]);
    refuses(t, () => innermost.free(), USED);
    const next = allocator.allocate(100).fill(4);
    t.is(next.offset, innermost.offset, 'the room is used again');
    refuses(t, () => innermost.getUint8(0), USED, 'though its bytes have an owner');
    allocator.rewind(inner);
    allocator.rewind(outer);
    t.deepEqual([before.isValid(), middle.isValid(), next.isValid()], [true, false, false]);
    refuses(t, () => allocator.rewind(inner), VALUE, 'rewound past');
    t.deepEqual([allocator.getStats().allocatedBlocks, allocator.getStats().requestedSize], [1, 100]);
  }
  t.deepEqual(before.copyOut(), Buffer.alloc(100, 1));
  allocator.reset();
  refuses(t, () => allocator.rewind(outer), VALUE, 'from before the reset');
});

test.serial('arena: stale, foreign and forged marks are refused, and nothing is rewound', (t) => {
  const [allocator, other] = [open('arena'), open('arena')];
  const foreign = other.mark();
  const stale = allocator.mark();
  allocator.reset();
  const memory = allocator.allocate(64).fill(7);
  for (const mark of [stale, foreign]) refuses(t, () => allocator.rewind(mark), VALUE);
  for (const mark of [null, undefined, 0, {}, Object.create(stale), { ...stale }, new Proxy(allocator.mark(), {}), structuredClone(allocator.mark())]) {
    refuses(t, () => allocator.rewind(mark as never), 'ERR_INVALID_ARG_TYPE');
  }
  t.deepEqual([memory.isValid(), memory.getUint8(63)], [true, 7]);
  const { name, totalSize } = allocator;
  const last = allocator.mark();
  allocator.close();
  for (const act of [() => allocator.mark(), () => allocator.rewind(last)]) refuses(t, act, 'ERR_OFFHEAP_CLOSED');
  using again = AdvancedMemoryAllocator.getInstance(name, 'arena', totalSize);
  refuses(t, () => again.rewind(last), VALUE, 'of the last life');
});

test.serial('arena: pinned memory holds off a rewind of it, and of what was before it', (t) => {
  const allocator = open('arena');
  const mark = allocator.mark();
  const memory = allocator.allocate(64).fill(7);
  const pin = memory.pin();
  refuses(t, () => allocator.rewind(mark), 'ERR_OFFHEAP_IN_USE');
  t.is(memory.getUint8(0), 7);
  pin[Symbol.dispose]();
  allocator.rewind(mark);
  refuses(t, () => memory.getUint8(0), USED);
});

test.serial('arena: 65,000 marks live at once, and too many are refused with a code', (t) => {
  const allocator = open('arena', 2 * MIB);
  const marks = [];
  for (let count = 0; count < 65_000; count += 1) {
    allocator.allocate(8);
    marks.push(allocator.mark());
  }
  const first = allocator.allocate(8);
  refuses(t, () => {
    for (let count = 0; count < 2000; count += 1) {
      allocator.allocate(8);
      allocator.mark();
    }
  }, 'ERR_OFFHEAP_NOT_SUPPORTED');
  allocator.rewind(marks[64_999] as never);
  t.false(first.isValid());
  allocator.rewind(marks[0] as never);
  t.deepEqual([allocator.getStats().allocatedBlocks, allocator.getStats().allocatedSize], [1, 8]);
});

test.serial('mark and rewind are for arenas', (t) => {
  const mark = open('arena').mark();
  t.regex(Object.prototype.toString.call(mark), /ArenaMark/);
  for (const type of TYPES.filter((each) => each !== 'arena')) {
    const allocator = open(type);
    for (const act of [() => allocator.mark(), () => allocator.rewind(mark)]) refuses(t, act, 'ERR_OFFHEAP_NOT_SUPPORTED', type);
  }
});

test.serial('ring gives room back in the order of allocation, whatever the order of frees', (t) => {
  const allocator = open('ring', 64 * KIB);
  const all = fill(allocator, KIB);
  t.is(all.length, 64);
  for (const memory of shuffled(all.slice(1))) memory.free();
  t.deepEqual([allocator.tryAllocate(KIB), allocator.getStats().allocatedBlocks, allocator.getStats().requestedSize], [null, 1, KIB], 'the oldest holds the rest');
  t.is(allocator.getStats().allocatedSize, 64 * KIB);
  all[0]?.free();
  t.is(allocator.getStats().allocatedSize, 0);
  t.is(fill(allocator, 4 * KIB).length, 16);
});

test.serial('ring goes round and round, contiguous, and each keeps its bytes', (t) => {
  const allocator = open('ring', 10_000);
  const queue: { readonly memory: AllocatedMemory; readonly value: number }[] = [];
  let wraps = 0;
  let last = -1;
  for (let count = 0; count < 2000; count += 1) {
    const size = 1 + ((count * 37) % 900);
    let memory = allocator.tryAllocate(size);
    while (memory === null) {
      const oldest = queue.shift();
      t.is(oldest?.memory.bytes().findIndex((byte) => byte !== oldest.value), -1);
      oldest?.memory.free();
      memory = allocator.tryAllocate(size);
    }
    t.true(memory.offset + memory.allocatedSize <= 10_000);
    if (memory.offset < last) wraps += 1;
    last = memory.offset;
    queue.push({ memory: memory.fill(count & 255), value: count & 255 });
  }
  t.true(wraps > 50, `${wraps}`);
});

test.serial('ring that overwrites ends the oldest, and no other', (t) => {
  const allocator = open('ring', 64 * KIB, 'word', { overflow: 'overwrite-oldest' });
  const all = Array.from({ length: 64 }, (_, index) => allocator.allocate(KIB).fill(index));
  for (let round = 0; round < 200; round += 1) {
    all.push(allocator.allocate(KIB).fill((64 + round) & 255));
    t.is(all.findIndex((memory) => memory.isValid()), round + 1);
    t.is(all.findIndex((memory, index) => index > round && memory.getUint8(KIB - 1) !== (index & 255)), -1);
    const dead = all[round] as AllocatedMemory;
    refuses(t, () => dead.getUint8(0), USED);
    refuses(t, () => dead.free(), USED, 'nobody freed it');
    t.notThrows(() => dead[Symbol.dispose]());
  }
  t.deepEqual([allocator.getStats().allocatedBlocks, allocator.getStats().requestedSize], [64, 64 * KIB]);
  const big = allocator.allocate(10 * KIB);
  t.is(allocator.getStats().allocatedBlocks, 64 - 10 + 1);
  big.free();
  refuses(t, () => big.free(), 'ERR_OFFHEAP_DOUBLE_FREE');
  refuses(t, () => allocator.allocate(64 * KIB + 1), 'ERR_OUT_OF_RANGE');
  t.is(allocator.tryAllocate(64 * KIB)?.size, 64 * KIB, 'the whole of it');
});

test.serial('ring that overwrites refuses while its oldest is pinned, and goes on afterwards', (t) => {
  const allocator = open('ring', 8 * KIB, 'word', { overflow: 'overwrite-oldest' });
  const all = Array.from({ length: 8 }, (_, index) => allocator.allocate(KIB).fill(index));
  const pin = all[0]?.pin();
  for (const act of [() => allocator.allocate(KIB), () => allocator.tryAllocate(KIB)]) refuses(t, act, 'ERR_OFFHEAP_IN_USE');
  t.deepEqual(all.map((memory) => memory.getUint8(9)), [0, 1, 2, 3, 4, 5, 6, 7]);
  pin?.[Symbol.dispose]();
  t.is(allocator.allocate(KIB).size, KIB);
  t.deepEqual(all.map((memory) => memory.isValid()), [false, true, true, true, true, true, true, true]);
});

test.serial('ring refuses at once what is larger than the circle, and takes what is as large', (t) => {
  const allocator = open('ring', 10_000);
  refuses(t, () => allocator.allocate(10_001), 'ERR_OUT_OF_RANGE');
  t.is(allocator.allocate(10_000).offset, 0);
});

test.serial('pool hands out the slot of a size that was freed last', (t) => {
  const allocator = open('pool');
  const [a, b, other] = [allocator.allocate(100), allocator.allocate(100), allocator.allocate(1000)];
  const [first, second] = [a.address, b.address];
  a.free();
  other.free();
  b.free();
  t.deepEqual([allocator.allocate(100).address, allocator.allocate(100).address], [second, first]);
  t.is(allocator.allocate(1000).address, other.address);
});

test.serial('pool is bounded by its region, and a size that is gone makes room for another', (t) => {
  const allocator = open('pool');
  for (const size of [64, 5000, 200, MIB / 2, 64]) {
    const all = fill(allocator, size);
    t.true(all.length * size > 0.8 * MIB && all.length * size <= MIB, `${size}: ${all.length}`);
    for (const memory of shuffled(all)) memory.free();
  }
});

test.serial('hybrid frees small, middle and large memory, and is whole again', (t) => {
  const allocator = open('hybrid', 64 * MIB);
  const whole = allocator.getStats().largestFree;
  t.is(whole, 64 * MIB);
  for (let round = 0; round < 3; round += 1) {
    const all = [1, 100, 16 * KIB, 16 * KIB + 1, 100 * KIB, 4 * MIB, 4 * MIB + 1, 10 * MIB, 16].map((size) => allocator.allocate(size).fill(round + 1));
    t.true(all.every((memory) => memory.getUint8(memory.size - 1) === round + 1));
    for (const memory of shuffled(all)) memory.free();
    const { allocatedSize, allocatedBlocks, largestFree } = allocator.getStats();
    t.deepEqual([allocatedSize, allocatedBlocks, largestFree], [0, 0, whole]);
  }
  t.is(allocator.allocate(whole).size, whole);
  t.is(Manager.getMemoryStats().byAllocator[0]?.utilizationPercent, 100);
});

test.serial('hybrid serves one request for all of a region in which freed memory of many sizes lies ready', (t) => {
  const allocator = open('hybrid', 8 * MIB);
  for (let round = 0; round < 2; round += 1) {
    const all: AllocatedMemory[] = [];
    const next = (): AllocatedMemory | null => allocator.tryAllocate(16_385 + ((all.length * 4099) % 49_152));
    for (let memory = next(); memory !== null; memory = next()) all.push(memory);
    t.true(all.length > 100);
    for (const memory of shuffled(all)) memory.free();
    const whole = allocator.allocate(8 * MIB);
    t.deepEqual([whole.offset, whole.size], [0, 8 * MIB]);
    whole.free();
    t.like(allocator.getStats(), { allocatedBlocks: 0, allocatedSize: 0, largestFree: 8 * MIB, freeBlocks: 1 });
  }
});

test.serial('hybrid gives the pages of more than 4 MiB back at the free, and leaves its neighbours alone', (t) => {
  const allocator = open('hybrid', 600 * MIB);
  const [before, after] = [allocator.allocate(5 * MIB).fill(1), allocator.allocate(100).fill(2)];
  allocator.trim(); // all the rest
  const memory = allocator.allocate(500 * MIB).fill(3);
  const pin = memory.pin();
  const peak = process.memoryUsage.rss();
  refuses(t, () => memory.free(), 'ERR_OFFHEAP_IN_USE');
  t.is(memory.getUint8(499 * MIB), 3, 'a pinned one keeps its bytes');
  pin[Symbol.dispose]();
  memory.free();
  const rss = process.memoryUsage.rss();
  t.true(peak - rss > 480 * MIB, `only ${((peak - rss) / MIB).toFixed(1)} MiB given back`);
  t.is(allocator.trim(), 0, 'a trim finds nothing that is there no more');
  t.true(before.equals(Buffer.alloc(5 * MIB, 1)) && after.equals(Buffer.alloc(100, 2)));
  t.is(allocator.allocate(500 * MIB).fill(4).getUint8(499 * MIB), 4, 'the next owner');
});

test.serial('a free of a hybrid leaves the bytes to whoever was sent its ArrayBuffer', (t) => {
  const memory = open('hybrid', 64 * MIB).allocate(8 * MIB).fill(9);
  const { buffer, byteOffset } = memory.bytes();
  const sent = new Uint8Array(structuredClone(buffer, { transfer: [buffer as ArrayBuffer] }));
  memory.free();
  t.deepEqual([sent[byteOffset], sent[byteOffset + 8 * MIB - 1]], [9, 9]);
});
