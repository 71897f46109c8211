// What the tracker costs: a pool that hands out fresh handles as ours does, refuses stale ones, and knows nothing else. Its words lie in one
// Int32Array, as ours; but there are no births, totals, peaks, pools, limits, views, nor anybody else who may look.
import { expect, expectStamps, times } from './_checks.mjs';
import { GRANTS_ALIVE, ORDER_MASK, grantOrder } from './_scenarios.mjs';

const LENGTH = 64;
const STACK = 65;
const GENERATIONS = 65_536;
let slotOf;
let generationOf;
let end;

class Handle {
  #slot = 0;
  #generation = 0;
  #size = 0;
  #freedAt; // so that both have as many fields

  static {
    slotOf = (handle) => handle.#slot;
    generationOf = (handle) => handle.#generation;
    end = (handle) => { handle.#freedAt = 1; };
  }

  constructor(slot, generation, size) {
    this.#slot = slot;
    this.#generation = generation;
    this.#size = size;
  }

  get size() {
    return this.#size;
  }

  get slot() {
    return this.#slot;
  }

  get isFreed() {
    return this.#freedAt !== undefined;
  }
}

class Pool {
  #words = new Int32Array(2 * GENERATIONS);
  #size;

  constructor(size, count) {
    this.#size = size;
    for (let slot = 0; slot < count; slot += 1) this.#words[STACK + slot] = slot;
    this.#words[LENGTH] = count;
  }

  acquire() {
    const t = this.#words;
    const length = t[LENGTH];
    if (length === 0) throw new RangeError('the pool is empty');
    const slot = t[STACK + length - 1];
    const at = GENERATIONS + slot;
    const generation = t[at] + 1;
    t[LENGTH] = length - 1;
    t[at] = generation;
    return new Handle(slot, generation, this.#size);
  }

  release(handle) {
    const t = this.#words;
    const slot = slotOf(handle);
    const generation = generationOf(handle);
    const at = GENERATIONS + slot;
    if (t[at] !== generation) throw new TypeError('it was released before');
    const length = t[LENGTH];
    t[at] = generation + 1;
    t[STACK + length] = slot;
    t[LENGTH] = length + 1;
    end(handle);
  }
}

/** The bytes of a handle, for the stamps: it has none of its own. */
const stampsOf = (handles, size) => {
  const bytes = new Uint8Array(GRANTS_ALIVE * 2 * size);
  return handles.map(({ slot }) => bytes.subarray(slot * size, (slot + 1) * size));
};

export function untrackedLifo(size) {
  const pool = new Pool(size, GRANTS_ALIVE);
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const handle = pool.acquire();
      sum += handle.size;
      pool.release(handle);
    }
    return sum;
  };
  const check = () => {
    const some = [0, 1, 2].map(() => pool.acquire());
    expectStamps(stampsOf(some, size));
    for (const handle of some) pool.release(handle);
    expect(some.every(({ isFreed }) => isFreed), 'what was released is over');
  };
  return { loop, check, expected: times(size) };
}

export function untrackedAlive(size) {
  const pool = new Pool(size, 2 * GRANTS_ALIVE);
  const alive = Array.from({ length: GRANTS_ALIVE }, () => pool.acquire());
  const loop = (n) => {
    let sum = 0;
    for (let i = 0; i < n; i += 1) {
      const at = grantOrder[i & ORDER_MASK];
      pool.release(alive[at]);
      const handle = pool.acquire();
      alive[at] = handle;
      sum += handle.size;
    }
    return sum;
  };
  return { loop, check: () => expectStamps(stampsOf(alive, size)), expected: times(size) };
}
