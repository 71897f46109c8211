// @ts-check
import { DirectMemoryManager } from 'offheap';
import { codeOf } from '../checks.mjs';
import { bytesText } from '../printer.mjs';

const KIB = 1024;
const MIB = 1 << 20;
const LABEL = 'demo: grows';

/** Sizes from, to and back, and the alignment on the way. @type {[number, number, import('offheap').Alignment, number][]} */
const STEPS = [
  [100, 40 * KIB, 'word', DirectMemoryManager.WORD_SIZE],
  [KIB, 4 * KIB, 'cache-line', DirectMemoryManager.CACHE_LINE_SIZE],
  [MIB, 8 * MIB, 'page', DirectMemoryManager.PAGE_SIZE],
  [64 * KIB, 2 * MIB, 64 * KIB, 64 * KIB],
];

/** @type {import('../types.js').Scene} */
export const reallocation = {
  name: 'reallocation',
  about: 'parts of the file in blocks that grow and shrink',
  run({ input, ledger, checks }) {
    for (const [small, large, alignment, multiple] of STEPS) {
      const content = input.bytes.subarray(0, small);
      const first = ledger.from(content, alignment, { label: LABEL });
      const views = [first.bytes(), first.view(Uint16Array), DirectMemoryManager.createDirectByteBuffer(first)];

      const grown = ledger.reallocate(first, large);
      const kept = [content.equals(grown.bytes(0, content.length)), grown.size, grown.address % BigInt(multiple), grown.alignment, grown.label];
      const asked = typeof alignment === 'number' ? bytesText(alignment) : alignment;
      const name = `${bytesText(small)} → ${bytesText(large)}, ${asked}`;
      checks.equal(`${name}: contents, alignment, label kept`, kept, [true, large, 0n, alignment, LABEL], { bytes: small });
      const dead = [...views.map((view) => view.length), first.isValid()];
      checks.equal(`${name}: the old views have length 0`, dead, [0, 0, 0, false]);

      const shrunk = ledger.reallocate(grown, Math.ceil(small / 2));
      const half = [content.subarray(0, shrunk.size).equals(shrunk.bytes()), shrunk.address % BigInt(multiple), codeOf(() => grown.getUint8(0))];
      const expected = [true, 0n, 'ERR_OFFHEAP_USE_AFTER_FREE'];
      checks.equal(`→ ${bytesText(shrunk.size)}: the first half kept, the older handle dead`, half, expected, { bytes: shrunk.size });
      ledger.free(shrunk);
    }
  },
};
