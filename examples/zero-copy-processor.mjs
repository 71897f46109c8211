// @ts-check
// Processes a file without a copy on the heap: read into page-aligned memory, copied to a second block, changed in place there,
// wiped, freed. `node examples/zero-copy-processor.mjs [file]`; without a file, the Node binary that runs this.
import { AlignmentMode, CopyMode, DirectMemoryManager } from 'offheap';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const WORD = 4;
const CHUNK = 1 << 20;

/** Works on data in a block of its own, of which nothing is left to read afterwards. */
export class ZeroCopyProcessor {
  #buffer;

  /** @param {number} bufferSize the most bytes that are processed at a time */
  constructor(bufferSize) {
    this.#buffer = DirectMemoryManager.allocateMemory(bufferSize, AlignmentMode.PAGE_ALIGNED, { label: 'zero-copy processor' });
  }

  /**
   * Turns the byte order of every whole 32-bit word, and shows the result while it is there.
   * @param {import('offheap').MemoryBlock} input
   * @param {number} length bytes of the input
   * @param {(bytes: Uint8Array) => void} use
   */
  processData(input, length, use) {
    const buffer = this.#buffer;
    try {
      DirectMemoryManager.copyMemory(input, 0, buffer, 0, length, CopyMode.NORMAL);
      DirectMemoryManager.copyMemory(buffer, 0, buffer, 0, length - (length % WORD), CopyMode.SWAP_ENDIAN, WORD);
      use(buffer.bytes(0, length));
    } finally {
      DirectMemoryManager.zeroMemory(buffer); // also when `use` throws: what was processed may be secret
    }
  }

  cleanup() {
    DirectMemoryManager.freeMemory(this.#buffer);
  }
}

/**
 * The SHA-256 of a file whose words were turned, chunk by chunk.
 * @param {string} path
 * @param {number} [chunkSize] a multiple of the word's size
 */
export function digestOfTurnedWords(path, chunkSize = CHUNK) {
  const hash = createHash('sha256');
  const input = DirectMemoryManager.allocateMemory(chunkSize, AlignmentMode.PAGE_ALIGNED);
  const processor = new ZeroCopyProcessor(chunkSize);
  const file = openSync(path, 'r');
  let total = 0;
  try {
    const bytes = input.bytes();
    let length = fill(file, bytes);
    while (length > 0) {
      processor.processData(input, length, (turned) => hash.update(turned));
      total += length;
      length = length === chunkSize ? fill(file, bytes) : 0;
    }
  } finally {
    closeSync(file);
    processor.cleanup();
    DirectMemoryManager.freeMemory(input);
  }
  return { total, sha256: hash.digest('hex') };
}

/** Reads until the bytes are full or the file ends: one read may give less. @param {number} file @param {Uint8Array} bytes */
function fill(file, bytes) {
  let length = 0;
  for (let got = -1; got !== 0 && length < bytes.length; length += got) got = readSync(file, bytes, length, bytes.length - length, null);
  return length;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const path = process.argv[2] ?? process.execPath;
  const heapBefore = process.memoryUsage().heapUsed;
  const started = performance.now();
  const { total, sha256 } = digestOfTurnedWords(path);
  const ms = Math.round(performance.now() - started);
  const heapMiB = ((process.memoryUsage().heapUsed - heapBefore) / 2 ** 20).toFixed(1);
  console.log(`${path}: ${total.toLocaleString('en-US')} bytes in ${ms} ms; the heap grew by ${heapMiB} MiB`);
  console.log(`SHA-256 with every 32-bit word turned: ${sha256}`);
  console.log(`blocks still allocated: ${DirectMemoryManager.getMemoryStats().activeBlocks}`);
}
