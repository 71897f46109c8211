// What each operation must have done to its memories `a` and `b`. Said by plain code, so that nothing is its own witness.
import { expect, expectSame, times } from './_checks.mjs';
import { fillWithTiles, holdsTiles, swappedTile, tile } from './_scenarios.mjs';

export const FILL = 0xa5;
/** In a buffer of its own, and so at a word's place. */
export const PATTERN = Uint8Array.of(0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe);
export const filledTile = new Uint8Array(tile.length).fill(FILL);
const patterned = Uint8Array.from(tile, (_, index) => PATTERN[index % PATTERN.length]);
const swappedTiles = Object.fromEntries([2, 4, 8, 16].map((width) => [width, swappedTile(width)]));

export const copyTo = {
  expected: times(1),
  check: (loop, a, b) => {
    b.fill(0);
    loop(1);
    expect(holdsTiles(b) && holdsTiles(a), 'the copy differs from its source');
  },
};

export const fillOf = {
  expected: times(1),
  check: (loop, a) => {
    fillWithTiles(a);
    loop(1);
    expect(holdsTiles(a, filledTile), 'a byte is not what it was filled with');
  },
};

export const patternOf = {
  expected: times(1),
  check: (loop, a) => {
    fillWithTiles(a);
    loop(1);
    expect(holdsTiles(a, patterned), 'a byte is not what the pattern has there');
  },
};

export const swapTo = (width) => ({
  expected: times(1),
  check: (loop, a, b) => {
    b.fill(0);
    loop(1);
    expect(holdsTiles(b, swappedTiles[width]) && holdsTiles(a), 'the words are not reversed');
  },
});

export const swapHere = (width) => ({
  expected: times(1),
  check: (loop, a) => {
    fillWithTiles(a);
    loop(1);
    expect(holdsTiles(a, swappedTiles[width]), 'the words are not reversed');
    loop(1);
    expect(holdsTiles(a), 'two swaps do not give the words again');
  },
});

/** Only the last bytes differ; as signed ones they would order the other way. */
function makeDiffer(a, b, size) {
  fillWithTiles(a);
  fillWithTiles(b);
  a[size - 1] = 0x01;
  b[size - 1] = 0xff;
}

export const compareOf = (size) => ({
  expected: times(-1),
  check: (loop, a, b) => {
    makeDiffer(a, b, size);
    expectSame(loop(1), -1, 'the order');
    b[size - 1] = 0x01;
    expectSame(loop(1), 0, 'the order of equal bytes');
    b[size - 1] = 0xff;
  },
});

export const mismatchOf = (size) => ({
  expected: times(size - 1),
  check: (loop, a, b) => {
    makeDiffer(a, b, size);
    expectSame(loop(1), size - 1, 'the index of the last byte');
    b[size >> 1] ^= 0x80;
    expectSame(loop(1), size >> 1, 'the index of the middle byte');
    b[size >> 1] ^= 0x80;
  },
});

/** A case over two memories, whose bytes are seen through views. The check leaves them as the loop expects them, and may be made again. */
export function caseOf({ expected, check }, loop, a, b, dispose) {
  fillWithTiles(a);
  fillWithTiles(b);
  return { loop, expected, dispose, check: () => check(loop, a, b) };
}
