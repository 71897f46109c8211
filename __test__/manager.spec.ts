// Properties of DirectMemoryManager (the memory operations are in manager.operations.spec.ts):
// - WORD_SIZE, CACHE_LINE_SIZE and PAGE_SIZE are what the system says; all members are static
// - the address of a block is a multiple of its alignment, for every mode and every power of two up to 2^30
// - `zeroed` memory reads 0, also where other bytes were before
// - what the system refuses is ERR_OFFHEAP_OUT_OF_MEMORY, what the limit forbids ERR_OFFHEAP_LIMIT, both with their numbers
// - freeAllMemory frees what is not pinned, and says how many; trim gives pages back and touches nothing live
// - a block of 5 GiB works: windows, typed access, operations; one ArrayBuffer over it as far as the runtime has such
import { execFileSync, spawnSync } from 'node:child_process';
import { constants } from 'node:buffer';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { AlignmentMode, DirectMemoryManager as Manager, MemoryBlock, OffHeapError } from '../index.js';
import type { Alignment } from '../index.js';
import { freeEverything } from './_settled.js';

const { MAX_SAFE_INTEGER } = Number;
const KIB = 1024;
const MIB = KIB * KIB;
const GIB = MIB * KIB;
const root = fileURLToPath(new URL('..', import.meta.url));

/** The error of `act`, which must be ours and of that code. */
function errorOf(t: ExecutionContext, act: () => unknown, code: string): OffHeapError {
  const error = t.throws(act, { instanceOf: OffHeapError, code });
  if (error === undefined) throw new Error('nothing was thrown');
  return error;
}

test.afterEach.always('nothing stays', async (t) => {
  Manager.setLimit(null);
  t.is(await freeEverything(), 0);
});

test.serial('word, cache line and page are those of the system', (t) => {
  t.is(Manager.WORD_SIZE, 8);
  for (const size of [Manager.CACHE_LINE_SIZE, Manager.PAGE_SIZE]) t.true(Number.isInteger(Math.log2(size)));
  t.true(Manager.CACHE_LINE_SIZE >= 16 && Manager.CACHE_LINE_SIZE <= 1024);
  if (process.platform === 'win32') t.true(Manager.PAGE_SIZE >= 4096);
  else t.is(Manager.PAGE_SIZE, Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' })));
  if (process.platform === 'linux') {
    const told = Number(execFileSync('getconf', ['LEVEL1_DCACHE_LINESIZE'], { encoding: 'utf8' }));
    t.is(Manager.CACHE_LINE_SIZE, told > 0 ? told : Manager.CACHE_LINE_SIZE); // some ARM kernels tell 0
  }
});

test.serial('the manager is available here, and is no class to make objects of', (t) => {
  t.true(Manager.isAvailable());
  t.is(Manager.unavailableReason, undefined);
  errorOf(t, () => Reflect.construct(Manager, []), 'ERR_OFFHEAP_NOT_SUPPORTED');
});

const BYTES: { readonly [mode: string]: number } = {
  none: 1,
  word: Manager.WORD_SIZE,
  'cache-line': Manager.CACHE_LINE_SIZE,
  page: Manager.PAGE_SIZE,
};
const ALIGNMENTS: readonly Alignment[] = [...Object.values(AlignmentMode), ...Array.from({ length: 31 }, (_, log2) => 2 ** log2)];

test.serial('an address is a multiple of the alignment, for every mode and power of two, and after a reallocation', (t) => {
  for (const alignment of ALIGNMENTS) {
    const bytes = BigInt(BYTES[alignment] ?? alignment);
    for (const size of [1, 63, 4096, 5000, 40_000, 1_500_000]) {
      const several = Array.from({ length: Number(bytes) > 64 * KIB ? 1 : 3 }, () => Manager.allocateMemory(size, alignment));
      several.push(Manager.reallocateMemory(Manager.allocateMemory(size, alignment), size * 2));
      for (const block of several) {
        if (block.address % bytes !== 0n) t.fail(`${alignment} ${size}: ${block}`);
        if (block.alignment !== alignment) t.fail(`${alignment}: ${block.alignment}`);
        block.setUint8(0, 1);
        block.setUint8(block.size - 1, 2);
        block.free();
      }
    }
  }
  t.is(Manager.allocateMemory(1).alignment, 'word');
});

test.serial('blocks that live together do not overlap', (t) => {
  const sizes = [1, 15, 16, 17, 64, 100, 1000, 4096, 40_000, 100_000];
  const blocks = Array.from({ length: 400 }, (_, index) => Manager.allocateMemory(sizes[index % sizes.length] as number, ALIGNMENTS[index % 17]));
  const places = blocks.map((block) => [block.address, block.address + BigInt(block.actualSize)] as const).toSorted(([a], [b]) => (a < b ? -1 : 1));
  places.forEach(([start], index) => {
    const before = places[index - 1];
    if (before !== undefined && start < before[1]) t.fail(`0x${start.toString(16)} lies in the block before`);
  });
  blocks.forEach((block, index) => block.fill(index % 256));
  t.true(blocks.every((block, index) => block.equals(Buffer.alloc(block.size, index % 256))));
});

test.serial('zeroed memory reads 0, fresh, after dirty use, with views and after trim', (t) => {
  let reused = 0;
  for (const size of [1, 8, 64, 100, 4096, 32 * KIB, 32 * KIB + 1, 100_000, MIB, 5 * MIB, 80 * MIB]) {
    for (const prepare of ['nothing', 'view', 'trim', 'realloc']) {
      const dirty = Manager.allocateMemory(size).fill(0xff);
      const { address } = dirty;
      if (prepare === 'view') dirty.bytes().fill(0xee);
      if (prepare === 'realloc') Manager.reallocateMemory(dirty, size).fill(0xdd).free();
      else dirty.free();
      if (prepare === 'trim') Manager.trim();
      const block = Manager.allocateMemory(size, 'word', { zeroed: true });
      if (block.address === address) reused += 1;
      const [first, rest] = [block.getUint8(0), size > 1 ? Manager.mismatch(block, 0, block, 1, size - 1) : -1];
      t.deepEqual([first, rest], [0, -1], `${size} after ${prepare}`);
      block.fill(0x99).free();
    }
  }
  t.true(reused > 10, `only ${reused} blocks came where another had been`);
});

test.serial('of every small size a zeroed block is cleared where another had been, and the blocks beside it are not', (t) => {
  let reused = 0;
  for (let size = 1; size <= 32 * KIB + 1; size += size < 600 ? 1 : 487) {
    const blocks = Array.from({ length: 5 }, () => Manager.allocateMemory(size).fill(0xff));
    const freed = blocks.filter((_, index) => index % 2 === 1);
    const places = new Set(freed.map(({ address }) => address));
    for (const block of freed) block.free();
    const zeroed = [Manager.allocateMemory(size, undefined, { zeroed: true }), Manager.allocateMemory(size, 'word', { zeroed: true, label: undefined })];
    for (const block of zeroed) {
      reused += Number(places.has(block.address));
      t.true(block.equals(Buffer.alloc(size)), `zeroed, ${size}`);
      t.deepEqual([block.size, block.alignment, block.label, block.isValid()], [size, 'word', undefined, true]);
    }
    for (const block of blocks) if (block.isValid()) t.true(block.equals(Buffer.alloc(size, 0xff)), `beside it, ${size}`);
    for (const block of [...blocks, ...zeroed]) if (block.isValid()) block.free();
  }
  t.true(reused > 1000, `only ${reused} blocks came where another had been`);
  t.is(Manager.getMemoryStats().activeBlocks, 0);
});

test.serial('zeroed blocks are counted as the others are, when nothing else is allocated and when there are many', (t) => {
  const before = Manager.getMemoryStats();
  const blocks = Array.from({ length: 3000 }, (_, index) => Manager.allocateMemory(1 + index, undefined, { zeroed: true }));
  const now = Manager.getMemoryStats();
  t.is(now.activeBlocks - before.activeBlocks, 3000);
  t.is(now.totalAllocated - before.totalAllocated, (3000 * 3001) / 2);
  t.is(new Set(blocks.map(({ id }) => id)).size, 3000);
  t.true(blocks.every((block) => block.getUint8(block.size - 1) === 0));
  for (const block of blocks) block.free();
  t.is(Manager.getMemoryStats().activeBlocks, before.activeBlocks);
});

test.serial('a label is the one that was given, whichever was before, and however many there are', (t) => {
  const odd = ['__proto__', 'constructor', 'toString', '0', '4294967295', ' ', 'ä', 'a label', 'a label', 'x'.repeat(256)];
  const many = Array.from({ length: 1500 }, (_, index) => `label ${index}`);
  const labels = [...odd, ...many, ...odd, 'a label', 'last', ...many];
  const blocks = labels.map((label) => Manager.allocateMemory(8, undefined, { label }));
  t.deepEqual(blocks.map(({ label }) => label), labels);
  const byId = new Map(Manager.getAllocatedBlocks().map(({ id, label }) => [id, label]));
  t.deepEqual(blocks.map(({ id }) => byId.get(id)), labels);
  for (const block of blocks) block.free();
});

test.serial('memory that nobody has is refused with what was asked and what may be had', (t) => {
  for (const size of [MAX_SAFE_INTEGER, 2 ** 48, 2 ** 47 + 1, 2 ** 46]) {
    const error = errorOf(t, () => Manager.allocateMemory(size), 'ERR_OFFHEAP_OUT_OF_MEMORY');
    t.is(error.requested, size);
    t.true(Number.isSafeInteger(error.available) && (error.available as number) > 0 && (error.available as number) < size, `${error.available}`);
    errorOf(t, () => Manager.allocateMemory(size, 2 ** 30), 'ERR_OFFHEAP_OUT_OF_MEMORY');
  }
  t.is(Manager.getMemoryStats().activeBlocks, 0);
  t.notThrows(() => Manager.allocateMemory(8).free());
});

if (process.platform === 'linux') {
  test.serial('an address space that ends (RLIMIT_AS) is an error, and the process goes on', (t) => {
    // Large blocks, so that the engine, which dies of a refusal, always finds room below the last one.
    const program = `const { execFileSync } = await import('node:child_process');
      const { readFileSync } = await import('node:fs');
      Manager.allocateMemory(8).free();
      const used = 1024 * /VmSize:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1];
      execFileSync('prlimit', ['--pid', process.pid, '--as=' + (used + 4.75 * 2 ** 30) + ':']);
      const blocks = [];
      const outcome = code(() => { while (blocks.length < 1000) blocks.push(Manager.allocateMemory(2 ** 30)); });
      const { length } = blocks;
      console.log(length >= 2 && length <= 4, outcome, code(() => Manager.allocateMemory(2 ** 30)));
      console.log(Manager.freeAllMemory() === length, code(() => Manager.allocateMemory(2 ** 30).free()));`;
    t.is(child(program, {}), 'true ERR_OFFHEAP_OUT_OF_MEMORY ERR_OFFHEAP_OUT_OF_MEMORY\ntrue ok');
  });
}

test.serial('the limit counts live bytes as they were asked for, and an error tells what is left', (t) => {
  const held = Manager.allocateMemory(1000);
  Manager.setLimit(MIB);
  const whole = Manager.allocateMemory(MIB - 1000);
  const error = errorOf(t, () => Manager.allocateMemory(1), 'ERR_OFFHEAP_LIMIT');
  t.deepEqual([error.requested, error.available, error.limit], [1, 0, MIB]);
  whole.free();
  const another = errorOf(t, () => Manager.allocateMemory(2 * MIB), 'ERR_OFFHEAP_LIMIT');
  t.deepEqual([another.requested, another.available], [2 * MIB, MIB - 1000]);
  errorOf(t, () => Manager.reallocateMemory(held, MIB + 1), 'ERR_OFFHEAP_LIMIT');
  t.true(held.isValid());
  Manager.freeMemory(Manager.reallocateMemory(held, MIB));
  t.notThrows(() => Manager.allocateMemory(MIB).free());
});

test.serial('a limit of 0 allows nothing more, one below what lives takes nothing away, and null lifts it', (t) => {
  const block = Manager.allocateMemory(1000).fill(1);
  Manager.setLimit(0);
  errorOf(t, () => Manager.allocateMemory(1), 'ERR_OFFHEAP_LIMIT');
  errorOf(t, () => MemoryBlock.from(Buffer.alloc(1)), 'ERR_OFFHEAP_LIMIT');
  Manager.setLimit(10);
  t.true(block.equals(Buffer.alloc(1000, 1)));
  const smaller = Manager.reallocateMemory(block, 500);
  errorOf(t, () => Manager.reallocateMemory(smaller, 501), 'ERR_OFFHEAP_LIMIT');
  smaller.free();
  t.notThrows(() => Manager.allocateMemory(10).free());
  errorOf(t, () => Manager.allocateMemory(11), 'ERR_OFFHEAP_LIMIT');
  Manager.setLimit(null);
  t.notThrows(() => Manager.allocateMemory(100 * MIB).free());
  for (const bad of [-1, 1.5, NaN, 2 ** 53]) t.throws(() => Manager.setLimit(bad), { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' });
  for (const bad of ['8m', undefined, 8n, {}]) t.throws(() => Manager.setLimit(bad as number), { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' });
});

/** What a program prints that uses the package from source, under other variables. */
function child(program: string, env: { readonly [name: string]: string }): string {
  const code = `import { DirectMemoryManager as Manager } from './index.ts';
    const code = (act) => { try { act(); return 'ok'; } catch (error) { return error.code; } };
    ${program}`;
  const args = ['--disable-wasm-trap-handler', '--import', 'tsx', '--input-type=module', '-e', code]; // tsx's WebAssembly would take 10 GiB of addresses
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : `exit ${status}: ${stderr}`;
}

test.serial('OFFHEAP_LIMIT is a limit from the start, and setLimit beats it', (t) => {
  const program = `console.log(code(() => Manager.allocateMemory(2 ** 20 + 1)), code(() => Manager.allocateMemory(2 ** 20).free()));
    Manager.setLimit(null);
    console.log(code(() => Manager.allocateMemory(2 ** 21).free()));`;
  t.is(child(program, { OFFHEAP_LIMIT: '1m' }), 'ERR_OFFHEAP_LIMIT ok\nok');
});

test.serial('a nonsense variable is no error until the package is used, and then at every use', (t) => {
  const program = `console.log(Manager.PAGE_SIZE > 0, code(() => Manager.allocateMemory(8)), code(() => Manager.allocateMemory(8)), code(() => Manager.getMemoryStats()));`;
  t.is(child(program, { OFFHEAP_LIMIT: 'lots' }), `true${' ERR_INVALID_ARG_VALUE'.repeat(3)}`);
});

test.serial('freeAllMemory frees all that is not pinned, says how many, and again nothing', (t) => {
  const blocks = [10, 4096, 100_000].flatMap((size) => [Manager.allocateMemory(size), Manager.allocateMemory(size, 'page')]);
  blocks[0]?.bytes();
  blocks[5]?.toArrayBuffer();
  const gone = Manager.allocateMemory(8);
  gone.free();
  const [, kept] = blocks;
  const pin = kept?.pin();
  t.is(Manager.freeAllMemory(), 5);
  t.is(Manager.freeAllMemory(), 0);
  t.deepEqual(blocks.map((block) => block.isValid()), [false, true, false, false, false, false]);
  t.deepEqual(Manager.getAllocatedBlocks().map(({ id, pinned }) => ({ id, pinned })), [{ id: kept?.id as number, pinned: true }]);
  pin?.[Symbol.dispose]();
  t.is(Manager.freeAllMemory(), 1);
  t.is(Manager.getMemoryStats().activeBlocks, 0);
});

test.serial('freeAllMemory reaches blocks whose handles were dropped', (t) => {
  for (let index = 0; index < 100; index += 1) Manager.allocateMemory(100);
  globalThis.gc?.();
  t.is(Manager.freeAllMemory(), 100);
});

test.serial('trim gives back what 1,000 written blocks of 1 MiB took, and leaves live bytes alone', (t) => {
  const live = [100, 40_000, 2 * MIB].map((size) => Manager.allocateMemory(size).fill(0x5a));
  Manager.trim();
  globalThis.gc?.();
  const start = process.memoryUsage.rss();
  const blocks = Array.from({ length: 1000 }, () => Manager.allocateMemory(MIB).fill(1));
  const peak = process.memoryUsage.rss();
  t.true(peak - start > 900 * MIB, 'the blocks were written');
  for (const block of blocks) block.free();
  const given = Manager.trim();
  t.true(Number.isSafeInteger(given) && given >= 0);
  const rss = process.memoryUsage.rss();
  t.true(rss - start < 16 * MIB, `${((rss - start) / MIB).toFixed(1)} MiB more than at the start`);
  t.true(peak - rss > 984 * MIB, `only ${((peak - rss) / MIB).toFixed(1)} MiB given back`);
  for (const block of live) t.true(block.equals(Buffer.alloc(block.size, 0x5a)));
  t.is(Manager.trim(), 0, 'nothing more to give');
});

test.serial('a block of 5 GiB is read and written anywhere, by accessors of every width', (t) => {
  const block = Manager.allocateMemory(5 * GIB, 'page', { zeroed: true });
  t.is(block.size, 5 * GIB);
  const places = [GIB, 2 * GIB, 3 * GIB, 4 * GIB, 4.5 * GIB, 5 * GIB - 16].flatMap((edge) => [-9, -8, -7, -1, 0, 1, 8].map((step) => edge + step));
  for (const viewed of [false, true]) {
    if (viewed) block.bytes(4.5 * GIB, 64);
    for (const place of places) {
      const mark = BigInt.asUintN(64, BigInt(place) * 0x1_0000_0001n);
      block.setBigUint64(place, mark);
      t.is(block.getBigUint64(place), mark, `${place}`);
      t.is(block.getUint8(place), Number(mark & 0xffn));
      block.setFloat64(place, place, false);
      t.is(block.getFloat64(place, false), place);
      t.is(Buffer.from(block.bytes(place, 8)).readDoubleBE(), place, 'a window shows the same bytes');
      block.fill(0, place, 8);
    }
  }
  t.throws(() => block.getUint8(5 * GIB), { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' });
  block.free();
});

test.serial('a block of 5 GiB is filled, copied, compared and searched beyond 4 GiB', (t) => {
  const block = Manager.allocateMemory(5 * GIB, 'word', { zeroed: true });
  const far = 4.5 * GIB + 3;
  Manager.setMemory(block, far, 100, 0x77);
  t.is(block.getUint8(far - 1), 0);
  t.is(block.text(far, 100, 'latin1'), 'w'.repeat(100));
  Manager.copyMemory(block, far, block, 10, 100);
  t.is(Manager.compareMemory(block, 10, block, far, 100), 0);
  Manager.copyMemory(block, 0, block, far + 90, 20);
  t.deepEqual([...block.bytes(far + 88, 4)], [0x77, 0x77, 0, 0]);
  block.fill(0, 0, 200);
  t.is(Manager.mismatch(block, 0, block, 1, far + 100), far - 1, 'an index above 2^32');
  t.is(Manager.compareMemory(block, 0, block, 1, far + 100), -1);
  block.view(Float64Array, far + 5, 2).set([Math.PI, Math.E]);
  t.is(block.getFloat64(far + 13), Math.E);
  t.is(Manager.createDirectByteBuffer(block, far, 2).length, 2);
  t.is(block.copyOut(far, 5).toString('latin1'), 'wwwww');
  const smaller = Manager.reallocateMemory(block, 4.75 * GIB);
  t.is(smaller.getFloat64(far + 13), Math.E);
  smaller.free();
});

test.serial('5 GiB in one ArrayBuffer: the same object each time, or a RangeError where the runtime has none so large', (t) => {
  const block = Manager.allocateMemory(5 * GIB);
  if (constants.MAX_LENGTH < 5 * GIB) {
    for (const act of [() => block.toArrayBuffer(), () => block.bytes(), () => block.view(Uint8Array), () => Manager.createDirectByteBuffer(block)]) {
      t.throws(act, { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' });
    }
  } else {
    t.is(block.toArrayBuffer().byteLength, 5 * GIB);
    t.is(block.toArrayBuffer(), block.toArrayBuffer());
  }
  const views = [block.bytes(4.5 * GIB, 10), block.bytes(1, 10), block.bytes(4.5 * GIB, 10), block.bytes(2, 0)];
  if (constants.MAX_LENGTH < 5 * GIB) {
    const empty = block.bytes(2, 0).buffer as ArrayBuffer;
    structuredClone(empty, { transfer: [empty] }); // an empty part is nobody's memory: losing it costs nothing
    t.is(block.bytes(2, 0).length, 0);
  }
  t.deepEqual(views.map((view) => view.length), [10, 10, 10, 0]);
  block.free();
  t.deepEqual(views.map((view) => view.length), [0, 0, 0, 0]);
});
