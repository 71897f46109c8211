// Chance, from a seed: the same seed makes the same calls.
export function makeDice(seed) {
  let state = seed >>> 0;
  /** mulberry32: 0 ≤ x < 1. */
  function random() {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  }
  const below = (count) => Math.floor(random() * count);
  return { random, below, pick: (list) => list[below(list.length)] };
}
