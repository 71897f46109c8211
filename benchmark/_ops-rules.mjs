// What each operation must have done to its memories `a` and `b`. Said by plain code, so that nothing is its own witness.
import { expect, expectSame, times } from './_checks.mjs';
import { fillWithTiles, holdsTiles, swappedTile, tile } from './_scenarios.mjs';

export const FILL = 0xa5;
const swapped = swappedTile(8);
const filled = new Uint8Array(tile.length).fill(FILL);

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
    expect(holdsTiles(a, filled), 'a byte is not what it was filled with');
  },
};

export const swapTo = {
  expected: times(1),
  check: (loop, a, b) => {
    b.fill(0);
    loop(1);
    expect(holdsTiles(b, swapped) && holdsTiles(a), 'the words are not reversed');
  },
};

export const swapHere = {
  expected: times(1),
  check: (loop, a) => {
    fillWithTiles(a);
    loop(1);
    expect(holdsTiles(a, swapped), 'the words are not reversed');
    loop(1);
    expect(holdsTiles(a), 'two swaps do not give the words again');
  },
};

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

/** A case over two memories, whose bytes are seen through views. The check leaves them as the loop expects them. */
export function caseOf({ expected, check }, loop, a, b, dispose) {
  fillWithTiles(a);
  fillWithTiles(b);
  return { loop, expected, dispose, check: () => check(loop, a, b) };
}
