// Properties of buffers that somebody takes away or marks:
// - after its ArrayBuffer was transferred away, every access through the handle is ERR_OFFHEAP_ESCAPED, and free() succeeds
// - the receiver keeps its bytes: no later block gets that memory; stats count it as escaped
// - a refused reallocation forgets no escape
// - a buffer marked as untransferable makes free() work or fail with a code, and never ends the process
// - other blocks are as they were
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { DirectMemoryManager as Manager, OffHeapError } from '../index.js';
import type { MemoryBlock } from '../index.js';
import { freeEverything } from './_settled.js';

const ESCAPED = 'ERR_OFFHEAP_ESCAPED';
/** Node 20 marks native memory as untransferable, so there nothing is taken away: a transfer makes a copy. */
const canEscape = 'transfer' in ArrayBuffer.prototype;

const refuses = (t: ExecutionContext, act: () => unknown, code: string, about?: string): unknown =>
  t.throws(act, { instanceOf: OffHeapError, code }, about);

const WAYS: { readonly [way: string]: (buffer: ArrayBuffer) => ArrayBuffer | Promise<ArrayBuffer> } = {
  'structuredClone with transfer': (buffer) => structuredClone(buffer, { transfer: [buffer] }),
  'postMessage with a transfer list': async (buffer) => {
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(buffer, [buffer]);
    const [received] = (await once(port2, 'message')) as [ArrayBuffer];
    port1.close();
    return received;
  },
  ...(canEscape && {
    'transfer()': (buffer: ArrayBuffer) => (buffer as unknown as { transfer(): ArrayBuffer }).transfer(),
    'transfer(16)': (buffer: ArrayBuffer) => (buffer as unknown as { transfer(length: number): ArrayBuffer }).transfer(16),
  }),
};
const BUFFERS: { readonly [which: string]: (block: MemoryBlock) => ArrayBuffer } = {
  'toArrayBuffer()': (block) => block.toArrayBuffer(),
  'bytes().buffer': (block) => block.bytes().buffer as ArrayBuffer,
  'createDirectByteBuffer().buffer': (block) => Manager.createDirectByteBuffer(block).buffer as ArrayBuffer,
};

/** Everything that reads, writes or shows memory. */
const ACCESSES: { readonly [name: string]: (block: MemoryBlock) => unknown } = {
  getUint8: (block) => block.getUint8(0),
  getFloat64: (block) => block.getFloat64(8),
  setUint8: (block) => block.setUint8(0, 1),
  setBigInt64: (block) => block.setBigInt64(0, 1n),
  fill: (block) => block.fill(1),
  copyTo: (block) => block.copyTo(Buffer.alloc(5000)),
  equals: (block) => block.equals(block),
  bytes: (block) => block.bytes(),
  view: (block) => block.view(Uint8Array),
  toArrayBuffer: (block) => block.toArrayBuffer(),
  copyOut: (block) => block.copyOut(),
  text: (block) => block.text(),
  setMemory: (block) => Manager.setMemory(block, 0, 1, 0),
  zeroMemory: (block) => Manager.zeroMemory(block),
  'copyMemory from': (block) => Manager.copyMemory(block, 0, Buffer.alloc(8), 0, 8),
  'copyMemory to': (block) => Manager.copyMemory(Buffer.alloc(8), 0, block, 0, 8),
  compareMemory: (block) => Manager.compareMemory(Buffer.alloc(8), 0, block, 0, 8),
  mismatch: (block) => Manager.mismatch(block, 0, Buffer.alloc(8), 0, 8),
  createDirectByteBuffer: (block) => Manager.createDirectByteBuffer(block),
  reallocateMemory: (block) => Manager.reallocateMemory(block, 10_000),
};

/** Whoever has memory keeps it: it comes back when that is collected, which is for another spec to show. */
const receivers: Uint8Array[] = [];

test.afterEach.always('nothing stays', async (t) => {
  t.is(await freeEverything(), 0);
});

for (const [way, take] of Object.entries(WAYS)) {
  for (const [which, show] of Object.entries(BUFFERS)) {
    for (const size of [64, 100, 50_000]) {
      test.serial(`${which} of ${size} bytes, taken away by ${way}, keeps its bytes, and the handle gets none of them`, async (t) => {
        const neighbours = Array.from({ length: 4 }, () => Manager.allocateMemory(size).fill(0x11));
        const block = Manager.allocateMemory(size).fill(0x22);
        const buffer = show(block);
        const taken = new Uint8Array(await take(buffer));
        receivers.push(taken);
        const before = Manager.getMemoryStats(); // now: in the turn before, memory of an earlier test may have come back
        if (!canEscape) {
          t.is(taken[0], 0x22);
          t.true(buffer.byteLength >= size, 'not taken: copied');
          taken.fill(0);
          t.true(block.equals(Buffer.alloc(size, 0x22)));
          t.notThrows(() => block.free());
          t.is(Manager.getMemoryStats().escaped, before.escaped);
          return;
        }
        t.is(buffer.byteLength, 0);
        for (const [name, access] of Object.entries(ACCESSES)) refuses(t, () => access(block), ESCAPED, name);
        await t.throwsAsync(block.lease(() => t.fail('the callback ran')), { instanceOf: OffHeapError, code: ESCAPED });
        t.deepEqual([block.isValid(), block.size, block.freed], [true, size, false]);
        block.free();
        const { escaped, activeBlocks, currentAllocated } = Manager.getMemoryStats();
        t.deepEqual([escaped, activeBlocks, currentAllocated], [before.escaped + size, before.activeBlocks - 1, before.currentAllocated - size]);
        refuses(t, () => block.free(), 'ERR_OFFHEAP_DOUBLE_FREE');
        refuses(t, () => block.getUint8(0), 'ERR_OFFHEAP_USE_AFTER_FREE');
        const later = Array.from({ length: 200 }, () => Manager.allocateMemory(size).fill(0x33));
        t.deepEqual([...taken.subarray(0, 16)], Array.from({ length: 16 }, () => 0x22), 'no later block got the memory');
        if (way !== 'transfer(16)') {
          taken.fill(0x44);
          t.true(later.every((other) => other.equals(Buffer.alloc(size, 0x33))));
        }
        t.true(neighbours.every((other) => other.equals(Buffer.alloc(size, 0x11))));
      });
    }
  }
}

if (canEscape) {
  for (const [name, attempt] of Object.entries({ reallocateMemory: ACCESSES['reallocateMemory'], toArrayBuffer: ACCESSES['toArrayBuffer'], bytes: ACCESSES['bytes'] })) {
    test.serial(`an escape is not forgotten after ${name} was refused`, (t) => {
      for (const size of [64, 100]) {
        for (const show of Object.values(BUFFERS)) {
          const block = Manager.allocateMemory(size).fill(0x22);
          const before = Manager.getMemoryStats().escaped;
          const buffer = show(block);
          const taken = new Uint8Array(structuredClone(buffer, { transfer: [buffer] }));
          refuses(t, () => attempt?.(block), ESCAPED);
          refuses(t, () => attempt?.(block), ESCAPED, 'again');
          block.free();
          t.is(Manager.getMemoryStats().escaped, before + size);
          for (let count = 0; count < 100; count += 1) Manager.allocateMemory(size).fill(0x33);
          t.is(taken[0], 0x22);
        }
      }
    });
  }

  test.serial('both buffers of a block may be taken, and every other view of it still dies', (t) => {
    const block = Manager.allocateMemory(100).fill(0x22);
    const [exact, whole] = [block.toArrayBuffer(), block.bytes().buffer as ArrayBuffer];
    const view = block.bytes();
    const taken = [exact, whole].map((buffer) => new Uint8Array(structuredClone(buffer, { transfer: [buffer] })));
    t.is(view.length, 0);
    block.free();
    for (let count = 0; count < 100; count += 1) Manager.allocateMemory(100).fill(0x33);
    t.deepEqual(taken.map((bytes) => bytes[99]), [0x22, 0x22]);
    const other = Manager.allocateMemory(100);
    const kept = other.bytes();
    const buffer = other.toArrayBuffer();
    structuredClone(buffer, { transfer: [buffer] });
    other.free();
    t.is(kept.length, 0);
  });
}

test.serial('freeAllMemory gives an escaped block to nobody', (t) => {
  const block = Manager.allocateMemory(100).fill(0x22);
  const buffer = block.toArrayBuffer();
  const taken = new Uint8Array(structuredClone(buffer, { transfer: [buffer] }));
  Manager.freeAllMemory();
  for (let count = 0; count < 100; count += 1) Manager.allocateMemory(100).fill(0x33);
  t.deepEqual([...taken], Array.from({ length: 100 }, () => 0x22));
  if (block.isValid()) block.free();
});

const PROGRAM = `
  import { markAsUntransferable } from 'node:worker_threads';
  import { DirectMemoryManager as Manager } from './index.ts';
  const [size, which, exit] = process.argv.slice(1);
  const block = Manager.allocateMemory(Number(size)).fill(0x22);
  const neighbour = Manager.allocateMemory(Number(size)).fill(0x11);
  const buffer = which === 'exact' ? block.toArrayBuffer() : block.bytes().buffer;
  const view = new Uint8Array(buffer);
  markAsUntransferable(buffer);
  const codes = [];
  for (const act of [() => Manager.reallocateMemory(block, 100_000).free(), () => block.free(), () => block.free(), () => Manager.freeAllMemory()]) {
    try {
      act();
      codes.push('ok');
    } catch (error) {
      codes.push(error.code);
    }
  }
  const next = Array.from({ length: 50 }, () => Manager.allocateMemory(Number(size)).fill(0x33));
  console.log(JSON.stringify({ codes, valid: block.isValid(), first: view[0] ?? null, live: Manager.getMemoryStats().activeBlocks }));
  if (exit === 'exit') process.exit(0);
`;

for (const exit of ['exit', 'return']) {
  for (const which of ['exact', 'whole']) {
    for (const size of [64, 100, 50_000]) {
      test.serial(`a ${which} buffer of ${size} bytes marked as untransferable does not end the process (${exit})`, (t) => {
        const { status, signal, stdout, stderr } = spawnSync(
          process.execPath,
          ['--import', 'tsx', '--expose-gc', '--input-type=module', '-e', PROGRAM, String(size), which, exit],
          { cwd: fileURLToPath(new URL('..', import.meta.url)), encoding: 'utf8' },
        );
        t.deepEqual({ status, signal }, { status: 0, signal: null }, stderr);
        const { codes, valid, first, live } = JSON.parse(stdout) as { codes: string[]; valid: boolean; first: number | null; live: number };
        for (const code of codes) t.regex(code, /^ok$|^ERR_OFFHEAP_/);
        t.is(first, valid ? 0x22 : null, 'the buffer shows its block or nothing');
        t.is(live, 50 + (valid ? 1 : 0));
        t.is(codes[1] === 'ok' || codes[0] === 'ok', !valid, String(codes));
      });
    }
  }
}

test.serial('what was filled before its buffer went away is not filled afterwards, by whichever buffer it went', async (t) => {
  for (const [which, bufferOf] of Object.entries(BUFFERS)) {
    for (const [way, send] of Object.entries(WAYS)) {
      const block = Manager.allocateMemory(100);
      block.bytes();
      Manager.setMemory(block, 0, 100, 1);
      const buffer = bufferOf(block);
      Manager.setMemory(block, 0, 100, 2);
      t.is(new Uint8Array(buffer)[99], 2, `${which}, ${way}`);
      const received = await send(buffer);
      const isGone = canEscape && buffer.byteLength === 0;
      if (isGone) refuses(t, () => Manager.setMemory(block, 0, 100, 3), ESCAPED, `${which}, ${way}`);
      else Manager.setMemory(block, 0, 100, 3);
      t.is(new Uint8Array(received)[0], 2, `${which}, ${way}: the receiver's bytes`);
      block.free();
      t.throws(() => Manager.setMemory(block, 0, 100, 4), { code: 'ERR_OFFHEAP_USE_AFTER_FREE' });
      t.is(new Uint8Array(received)[0], 2);
    }
  }
});
