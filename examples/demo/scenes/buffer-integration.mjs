// @ts-check
import { DirectMemoryManager } from 'offheap';
import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { codeOf } from '../checks.mjs';
import { sha256 } from '../input.mjs';

const SIZE = 64 << 10;
const READ = 8 << 20;

/** @type {import('../types.js').Scene} */
export const bufferIntegration = {
  name: 'buffer integration',
  about: 'Buffer, typed arrays and file reads on the block itself, no copy between',
  async run(context) {
    shared(context);
    reads(context);
    await leased(context);
  },
};

/** @param {import('../types.js').Context} context */
function shared({ ledger, checks }) {
  const block = ledger.allocate(SIZE, 'cache-line', { zeroed: true });
  const buffer = DirectMemoryManager.createDirectByteBuffer(block);
  checks.that('createDirectByteBuffer: a Buffer as long as the block', Buffer.isBuffer(buffer) && buffer.length === SIZE, { bytes: SIZE });
  checks.equal('getDirectBufferAddress: it lies where the block lies', DirectMemoryManager.getDirectBufferAddress(buffer), block.address);
  const part = DirectMemoryManager.createDirectByteBuffer(block, 1000, 24);
  checks.equal('a part of it: at address + 1000', DirectMemoryManager.getDirectBufferAddress(part), block.address + 1000n, { bytes: part.length });

  const floats = block.view(Float64Array, 8, 100);
  const words = block.view(Uint32Array);
  const whole = new Uint8Array(block.toArrayBuffer());
  buffer.writeDoubleLE(Math.E, 16);
  checks.equal('the Buffer writes a double: Float64Array, accessor read it', [floats[1], block.getFloat64(16)], [Math.E, Math.E]);
  words[250] = 0xdecafbad;
  part.swap32();
  const seen = [block.getUint32(1000), buffer.readUInt32LE(1000), whole[1000]];
  checks.equal('Uint32Array writes, a Buffer swaps: all others see both', seen, [0xadfbcade, 0xadfbcade, 0xde]);
  block.setUint8(SIZE - 1, 77);
  checks.equal('the block writes its last byte: every view shows it', [buffer.at(-1), whole.at(-1), (words.at(-1) ?? 0) >>> 24], [77, 77, 77]);
  const exact = whole.length === SIZE && whole.buffer === block.toArrayBuffer();
  checks.that('toArrayBuffer: the block exactly, one object every time', exact, { bytes: SIZE });

  ledger.free(block);
  const lengths = [buffer, part, floats, words, whole].map((view) => view.length);
  checks.equal('freed: five views, all of length 0', lengths, [0, 0, 0, 0, 0]);
  checks.equal('and a write through one of them goes nowhere', codeOf(() => (whole[0] = 1)), 'no error');
}

/** @param {import('../types.js').Context} context */
function reads({ input, ledger, checks }) {
  const length = Math.min(READ, input.bytes.length);
  const block = ledger.allocate(length, 'page');
  const fd = openSync(input.path, 'r');
  const started = performance.now();
  const got = readSync(fd, block.bytes(), 0, length, 0);
  const ms = performance.now() - started;
  closeSync(fd);
  checks.equal('fs.readSync straight into a block', [got, input.bytes.subarray(0, length).equals(block.bytes())], [length, true], { bytes: got, ms });
  ledger.free(block);
}

/** @param {import('../types.js').Context} context */
async function leased({ input, ledger, checks, facts }) {
  const length = Math.min(READ, input.bytes.length);
  const start = input.bytes.length - length;
  const block = ledger.allocate(length, 'page');
  const file = await open(input.path);
  const started = performance.now();
  const reading = block.lease((bytes) => file.read(bytes, 0, length, start)); // the thread pool writes into our memory now
  checks.throws('free during an asynchronous read: refused, the lease pins', 'ERR_OFFHEAP_IN_USE', () => block.free());
  const { bytesRead } = await reading;
  facts.leasedReadMs = performance.now() - started;
  await file.close();
  const right = input.bytes.subarray(start).equals(block.bytes());
  checks.equal('the read ends in the block all the same', [bytesRead, right], [length, true], { bytes: length, ms: facts.leasedReadMs });

  const pin = block.pin();
  checks.throws('pin() does the same by hand', 'ERR_OFFHEAP_IN_USE', () => DirectMemoryManager.freeMemory(block));
  pin[Symbol.dispose]();
  checks.equal('node:crypto hashes the view as it hashes the file', sha256(block.bytes()), sha256(input.bytes.subarray(start)), { bytes: length });
  ledger.free(block);
  checks.that('no lease, no pin: freed', block.freed);
}
