// The programs in examples/ do what their first lines say. Compared with the ordinary way: one Buffer on the heap.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { DirectMemoryManager, MemoryBlock } from 'offheap';
import { HighPerformanceBufferManager, countLines } from '../examples/high-performance-buffer-manager.mjs';
import { allocateFrame, countWrong, invertFrame, paint } from '../examples/frame-in-tiles.mjs';
import { ZeroCopyProcessor, digestOfTurnedWords } from '../examples/zero-copy-processor.mjs';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'offheap-examples-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

/** A file of so many bytes that look random, and the digest that the processor must come to. */
function file(length: number): { path: string; total: number; sha256: string } {
  const path = join(folder, `${length}.bin`);
  const bytes = Buffer.from(Uint8Array.from({ length }, (_, index) => Math.imul(index, 0x9e3779b1) >>> 24));
  writeFileSync(path, bytes);
  bytes.subarray(0, length - (length % 4)).swap32();
  return { path, total: length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

const liveBlocks = (): number => DirectMemoryManager.getMemoryStats().activeBlocks;

for (const length of [0, 3, 4096, 4097, 8191, 8192, 100_003]) {
  test.serial(`zero-copy processor: ${length} bytes in chunks of 4096 give the digest of the ordinary way`, (t) => {
    const { path, total, sha256 } = file(length);
    t.deepEqual(digestOfTurnedWords(path, 4096), { total, sha256 });
    t.is(liveBlocks(), 0);
  });
}

test.serial('zero-copy processor: its block is page-aligned, zero after the work, and gone after the cleanup', (t) => {
  const input = MemoryBlock.from(Buffer.from('secret, quite'));
  const processor = new ZeroCopyProcessor(64);
  let kept: Uint8Array = new Uint8Array(0);
  processor.processData(input, input.size, (bytes) => {
    kept = bytes;
    t.is(Buffer.from(bytes).toString(), 'rces ,tetiuqe'); // every four letters turned, the last one left
  });
  t.is(DirectMemoryManager.getDirectBufferAddress(kept) % BigInt(DirectMemoryManager.PAGE_SIZE), 0n);
  t.deepEqual([...kept], [...new Uint8Array(13)]);
  processor.cleanup();
  t.is(kept.length, 0);
  input.free();
  t.is(liveBlocks(), 0);
});

test.serial('zero-copy processor: what was processed is wiped also when its use fails', (t) => {
  const input = MemoryBlock.from(Buffer.from('12345678'));
  const processor = new ZeroCopyProcessor(8);
  let kept: Uint8Array = new Uint8Array(0);
  t.throws(() => processor.processData(input, 8, (bytes) => {
    kept = bytes;
    throw new TypeError('lost');
  }), { message: 'lost' });
  t.deepEqual([...kept], [0, 0, 0, 0, 0, 0, 0, 0]);
  processor.cleanup();
  input.free();
});

test.serial('zero-copy processor: the program prints the digest and leaves nothing allocated', async (t) => {
  const { path, sha256 } = file(100_003);
  const program = fileURLToPath(new URL('../examples/zero-copy-processor.mjs', import.meta.url));
  const { stdout } = await run(process.execPath, [program, path], { env: { ...process.env, NODE_OPTIONS: '' } });
  t.regex(stdout, /: 100,003 bytes in \d+ ms; the heap grew by -?\d+\.\d MiB$/m);
  t.true(stdout.includes(sha256));
  t.regex(stdout, /^blocks still allocated: 0$/m);
});

test.serial('high-performance buffer manager: lines are those of the ordinary way, and everything comes back', (t) => {
  const buffers = new HighPerformanceBufferManager();
  for (const [name, text] of [['none', ''], ['one', 'no end'], ['many', 'a line\n'.repeat(30_000)], ['edge', `${'x'.repeat(8191)}\n\n`]] as const) {
    const path = join(folder, `${name}.txt`);
    writeFileSync(path, text);
    t.is(countLines(path, buffers), text.split('\n').length - 1, name);
  }
  const { pool, scratch } = buffers.getStats();
  t.deepEqual([pool.inUse, scratch.allocatedBlocks, pool.blockSize], [0, 0, 8192]);
  buffers.close();
  t.is(liveBlocks(), 0);
});

test.serial('high-performance buffer manager: a released Buffer is empty, its memory is the next one of its size, and only its own come back', (t) => {
  const buffers = new HighPerformanceBufferManager();
  const pooled = Array.from({ length: 101 }, () => buffers.acquireBuffer(8192));
  const single = buffers.acquireBuffer(100);
  t.deepEqual([pooled[0]?.length, single.length, liveBlocks()], [8192, 100, 102]);
  for (const buffer of [...pooled, single]) buffers.releaseBuffer(buffer);
  t.true([...pooled, single].every(({ length }) => length === 0));
  t.like(buffers.getStats().pool, { available: 100, inUse: 0, misses: 101 });
  buffers.releaseBuffer(buffers.acquireBuffer(8192));
  t.is(buffers.getStats().pool.hits, 1);
  for (const bad of [single, Buffer.alloc(8192)]) t.throws(() => buffers.releaseBuffer(bad), { instanceOf: TypeError });
  buffers.close();
  t.is(liveBlocks(), 0);
});

test.serial('frame in tiles: four tasks of a worker pool invert a frame of 64 MiB in place, and leave nothing', async (t) => {
  const frame = allocateFrame();
  paint(frame);
  t.true(countWrong(frame) > 0);
  const view = frame.bytes();
  t.is(await invertFrame(frame), 4);
  t.is(countWrong(frame), 0);
  t.is(view[0], 0xff, 'in place');
  frame.free();
  t.is(liveBlocks(), 0);
});
