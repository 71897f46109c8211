// @ts-check
import { DirectMemoryManager } from 'offheap';
import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { codeOf } from '../checks.mjs';

const BLOCK = 16 << 20;
const { PAGE_SIZE } = DirectMemoryManager;

/** @type {import('../types.js').Scene} */
export const directIo = {
  name: 'direct i/o',
  about: 'a large file into page-aligned blocks, past the page cache (O_DIRECT)',
  run({ input, ledger, checks, facts, printer }) {
    const { size } = facts.file = { path: input.path, size: input.bytes.length };
    const direct = openDirect(input.path, checks, printer);
    facts.o_direct = direct !== undefined;
    const fd = direct ?? openSync(input.path, 'r');
    const unit = direct === undefined ? 1 : PAGE_SIZE;
    try {
      const blocks = [];
      for (let at = 0; at < size; at += BLOCK) {
        const length = Math.min(BLOCK, Math.ceil((size - at) / PAGE_SIZE) * PAGE_SIZE); // O_DIRECT reads whole sectors
        blocks.push(ledger.allocate(length, 'page', { label: `demo: ${input.path}` }));
      }
      const pages = blocks.every(({ address }) => address % BigInt(PAGE_SIZE) === 0n);
      const bytes = blocks.reduce((sum, block) => sum + block.size, 0);
      checks.that(`blocks for it: ${blocks.length}, each at a multiple of ${PAGE_SIZE}, the page`, pages, { bytes });

      const started = performance.now();
      const read = blocks.reduce((sum, block) => sum + fill(fd, block, sum, unit), 0);
      facts.readMs = performance.now() - started;
      const how = direct === undefined ? 'ordinary' : 'O_DIRECT';
      checks.equal(`${how} reads straight into them`, read, size, { bytes: read, ms: facts.readMs });

      const views = blocks.map((block, index) => block.bytes(0, Math.min(BLOCK, size - index * BLOCK)));
      const hashed = performance.now();
      const hash = createHash('sha256');
      for (const view of views) hash.update(view);
      facts.sha256 = hash.digest('hex');
      facts.hashMs = performance.now() - hashed;
      checks.equal('their SHA-256 is that of an ordinary readFile', facts.sha256, input.sha256, { bytes: size, ms: facts.hashMs });
      printer.note(`sha256 ${facts.sha256}`);

      for (const block of blocks) ledger.free(block);
      checks.equal('freed: every view of them has length 0', views.map((view) => view.length), views.map(() => 0));
    } finally {
      closeSync(fd);
    }
  },
};

/**
 * Reads the file from `start` on until the block is full or the file ends. Returns the bytes read.
 * @param {number} fd
 * @param {import('offheap').MemoryBlock} block
 * @param {number} start
 * @param {number} unit what reads come in multiples of, save the last one of a file
 */
function fill(fd, block, start, unit) {
  const view = block.bytes();
  let at = 0;
  while (at < view.length) {
    const got = readSync(fd, view, at, view.length - at, start + at);
    at += got;
    if (got === 0 || at % unit !== 0) break;
  }
  return at;
}

/**
 * A descriptor for O_DIRECT, or undefined, with the reason printed, where the system does not offer it in earnest.
 * @param {string} path
 * @param {import('../checks.mjs').Checks} checks
 * @param {import('../printer.mjs').Printer} printer
 */
function openDirect(path, checks, printer) {
  /** @param {string} reason */
  const without = (reason) => {
    printer.note(reason);
    printer.note('so ordinary reads instead (o_direct: false)');
  };
  if (!constants.O_DIRECT) return void without(`${process.platform} has no O_DIRECT`);
  let fd;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECT);
  } catch (error) {
    return void without(`this file system refuses O_DIRECT (${error instanceof Error && 'code' in error ? error.code : error})`);
  }
  const ordinary = Buffer.allocUnsafeSlow(2 * PAGE_SIZE);
  const odd = ordinary.subarray(DirectMemoryManager.getDirectBufferAddress(ordinary) % 2n === 0n ? 1 : 2);
  for (const [name, buffer] of /** @type {const} */ ([['an ordinary Buffer', ordinary], ['an oddly placed Buffer', odd]])) {
    const past = DirectMemoryManager.getDirectBufferAddress(buffer) % BigInt(PAGE_SIZE);
    const outcome = codeOf(() => readSync(fd, buffer, 0, PAGE_SIZE, 0));
    if (outcome === 'no error') {
      printer.note(`${name}, ${past} B past a page: taken`); // some devices ask for 4 bytes only; or it was on a sector by luck
      continue;
    }
    checks.equal(`${name}, ${past} B past a page: read refused`, outcome, 'EINVAL', { result: 'EINVAL' });
    return fd;
  }
  closeSync(fd);
  return void without('this file system takes O_DIRECT reads at any address, which proves nothing');
}
