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
