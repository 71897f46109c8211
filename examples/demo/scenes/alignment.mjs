// @ts-check
import { AlignmentMode, DirectMemoryManager } from 'offheap';
import { bytesText } from '../printer.mjs';

const SIZES = [1, 24, 64, 1000, 4096, 10_000, 65_536, 1 << 20];
const { WORD_SIZE, CACHE_LINE_SIZE, PAGE_SIZE } = DirectMemoryManager;

/** @param {number} from @param {number} to */
function powers(from, to) {
  const list = [];
  for (let value = from; value <= to; value *= 2) list.push(value);
  return list;
}

/** What is asked, in words and values, and the multiple that the address must be. @type {[string, import('offheap').Alignment, number][]} */
const MODES = [
  ["'none': what malloc gives", AlignmentMode.NONE, 1],
  [`'word': multiples of ${WORD_SIZE}`, AlignmentMode.WORD_ALIGNED, WORD_SIZE],
  [`'cache-line': multiples of ${CACHE_LINE_SIZE}`, AlignmentMode.CACHE_LINE, CACHE_LINE_SIZE],
  [`'page': multiples of ${PAGE_SIZE}`, AlignmentMode.PAGE_ALIGNED, PAGE_SIZE],
];
const NUMBERS = [powers(1, 8), powers(16, 2048), powers(4096, 1 << 20), powers(1 << 21, 1 << 24)];

/** @type {import('../types.js').Scene} */
export const alignment = {
  name: 'alignment',
  about: `every address is a multiple of what was asked, at ${SIZES.length} sizes from 1 B to 1 MiB`,
  run({ ledger, checks, facts }) {
    facts.pageSize = PAGE_SIZE;
    facts.cacheLineSize = CACHE_LINE_SIZE;
    /** @type {import('offheap').MemoryBlock[]} */
    const blocks = [];

    /** The addresses' remainders, all 0 when the library keeps its word. @param {import('offheap').Alignment} asked @param {number} multiple */
    const remainders = (asked, multiple) => {
      const fresh = SIZES.map((size) => ledger.allocate(size, asked));
      blocks.push(...fresh);
      return fresh.map((block) => (block.alignment === asked ? Number(block.address % BigInt(multiple)) : `alignment ${block.alignment}`));
    };
    const zeros = SIZES.map(() => 0);

    for (const [name, mode, multiple] of MODES) {
      checks.equal(name, remainders(mode, multiple), zeros, { result: `${SIZES.length} blocks` });
    }
    for (const values of NUMBERS) {
      const [least = 0, most = 0] = [values.at(0), values.at(-1)];
      checks.equal(
        `a number: each power of two from ${bytesText(least)} to ${bytesText(most)}`,
        values.map((value) => remainders(value, value)),
        values.map(() => zeros),
        { result: `${values.length * SIZES.length} blocks` },
      );
    }
    const widest = ledger.allocate(1, 2 ** 30);
    checks.equal('the widest, 1 GiB', widest.address % 2n ** 30n, 0n, { result: '1 block' });
    blocks.push(widest);

    facts.blocks = blocks.length;
    facts.overlaps = overlaps(blocks);
    checks.equal('no two of these live blocks share a byte', facts.overlaps, 0, { result: `${blocks.length} blocks` });
    for (const block of blocks) ledger.free(block);
  },
};

/** @param {readonly import('offheap').MemoryBlock[]} blocks */
function overlaps(blocks) {
  const ranges = blocks.map(({ address, actualSize }) => ({ start: address, end: address + BigInt(actualSize) }));
  ranges.sort((a, b) => (a.start < b.start ? -1 : 1));
  return ranges.filter(({ start }, index) => index > 0 && start < (ranges[index - 1]?.end ?? 0n)).length;
}
