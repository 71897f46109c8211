// What the groups share: sizes, orders, contents that can be checked.
export const KIB = 1024;
export const MIB = 1024 * KIB;

/** Units of which more is better; of all others less is. */
export const MORE_IS_BETTER = ['GB/s', '×'];

/** 64 B, 1 KiB, 64 MiB. */
export function sizeText(bytes) {
  if (bytes >= MIB) return `${bytes / MIB} MiB`;
  return bytes >= KIB ? `${bytes / KIB} KiB` : `${bytes} B`;
}

/** Blocks alive at a time in the random scenario. */
export const ALIVE = 200;
export const ORDER_MASK = 4095;

/** Numbers that look random, the same in every run. */
export function xorshift(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function randomBytes(length, below, seed) {
  const next = xorshift(seed);
  return Uint8Array.from({ length }, () => next() % below);
}

/** Which of the live ones is replaced next: the same 4,096 random places for everyone. */
export const order = randomBytes(ORDER_MASK + 1, ALIVE, 2463534242);

/** The same for the allocators' grants, of which more are alive: each once in 1,024 steps, for a ring gets no room back behind a grant
 * that nobody frees. */
export const GRANTS_ALIVE = 1024;
const nextGrant = xorshift(521288629);
export const grantOrder = Uint16Array.from([0, 1, 2, 3].flatMap(() => shuffled(GRANTS_ALIVE)));

/** 0 … count − 1 in an order that looks random (Fisher and Yates). */
export function shuffled(count) {
  const places = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const at = nextGrant() % (last + 1);
    [places[last], places[at]] = [places[at], places[last]];
  }
  return places;
}

/** Grants of an arena between two resets. */
export const ARENA_ROUND = 1000;
/** Grants that an arena serves a request with; a power of two. */
export const REQUEST_GRANTS = 8;
/** The sum of the numbers that are written into them, over `n` grants. */
export const requestSum = (n) => (n / REQUEST_GRANTS) * ((REQUEST_GRANTS * (REQUEST_GRANTS - 1)) / 2);
/** Grants that a ring has at a time. */
export const IN_FLIGHT = 8;

/** Sizes of the kind that a web server, or a log writer, asks for: each operation replaces one of 200 in random order. */
export const PATTERN_LENGTH = 16_384;
const WEB_SIZES = [[15, 12], [64, 1], [256, 25], [635, 12], [1024, 34], [2048, 3], [4574, 1], [8447, 1], [16_639, 11]]; // size, weight

function webSize(random) {
  let weights = 0;
  for (const [size, weight] of WEB_SIZES) {
    weights += weight;
    if (weights > random % 100) return size;
  }
  throw new RangeError('the weights sum to 100');
}

/** Which one is replaced, and by how many bytes; the same numbers in every run and every language. `kept`: what each has after a round. */
export function pattern(name) {
  const next = xorshift(0x9e3779b9);
  const slots = new Uint8Array(PATTERN_LENGTH);
  const sizes = new Int32Array(PATTERN_LENGTH);
  const kept = new Int32Array(ALIVE);
  for (let i = 0; i < PATTERN_LENGTH; i += 1) {
    slots[i] = next() % ALIVE;
    if (name === 'web') {
      sizes[i] = webSize(next());
    } else {
      const base = 16 << (next() % 12);
      sizes[i] = base + (next() % base);
    }
  }
  kept.set(sizes.subarray(0, ALIVE));
  slots.forEach((slot, index) => { kept[slot] = sizes[index]; });
  return { slots, sizes, kept };
}

/** 64 KiB that look random; longer contents repeat them. */
export const tile = randomBytes(64 * KIB, 256, 88675123);

/** Calls `visit(offset, length)` for each piece of at most a tile. */
export function eachTile(size, visit) {
  for (let offset = 0; offset < size; offset += tile.length) visit(offset, Math.min(tile.length, size - offset));
}

/** Writes the contents everywhere, so every page is touched. */
export const fillWithTiles = (bytes) => eachTile(bytes.length, (offset, length) => bytes.set(tile.subarray(0, length), offset));

/** Whether bytes are a repeated piece of at most a tile. */
export function holdsTiles(bytes, piece = tile) {
  let same = true;
  eachTile(bytes.length, (offset, length) => {
    same &&= Buffer.compare(bytes.subarray(offset, offset + length), piece.subarray(0, length)) === 0;
  });
  return same;
}

/** The tile with the bytes of each word reversed, by a plain loop. */
export function swappedTile(width) {
  const swapped = new Uint8Array(tile.length);
  for (let i = 0; i < tile.length; i += 1) swapped[i - (i % width) + (width - 1 - (i % width))] = tile[i];
  return swapped;
}
