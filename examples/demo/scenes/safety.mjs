// @ts-check
import { DirectMemoryManager, MemoryBlock, OffHeapError } from 'offheap';

const SIZE = 64 << 10;
const { allocateMemory, copyMemory, freeMemory, getMemoryStats, setLimit, setMemory } = DirectMemoryManager;

/** An argument of the wrong type, for a checker that would not let it pass. @param {unknown} value */
const wrong = (value) => /** @type {never} */ (value);

/** @type {import('../types.js').Scene} */
export const safety = {
  name: 'safety',
  about: 'misuse gets an error with a code; neighbours and totals stay as they were',
  run(context) {
    const { ledger, checks } = context;
    const neighbour = ledger.allocate(SIZE).fill(0x5a);
    const block = ledger.allocate(SIZE).fill(0x11);
    const second = ledger.allocate(SIZE).fill(0x5a);
    bounds(context, block);
    tooMuch(context);
    types(context, block);
    const stats = getMemoryStats();
    const totals = [stats.totalAllocated - ledger.before.totalAllocated, stats.currentAllocated - ledger.before.currentAllocated];
    checks.equal('after all these refusals the totals are still exact', totals, [ledger.allocated, ledger.current]);
    lifetime(context, block);
    const intact = Buffer.alloc(SIZE, 0x5a);
    checks.that('the blocks beside it: not a byte has changed', neighbour.equals(intact) && second.equals(intact), { bytes: 2 * SIZE });
    ledger.free(neighbour);
    ledger.free(second);
  },
};

/** @param {import('../types.js').Context} context @param {MemoryBlock} block */
function bounds({ checks }, block) {
  const out = 'ERR_OUT_OF_RANGE';
  checks.throws('set one byte past the end', out, () => setMemory(block, 0, SIZE + 1, 0));
  checks.throws('offset + length beyond 2^53', out, () => setMemory(block, 2 ** 53 - 1, 2 ** 53 - 1, 0));
  checks.throws('copy more than the target holds', out, () => copyMemory(Buffer.alloc(SIZE + 1), 0, block, 0, SIZE + 1));
  checks.throws('read a number across the end', out, () => block.getFloat64(SIZE - 7));
  checks.throws('a view that would reach past the end', out, () => block.bytes(1, SIZE));
  checks.throws('offset -1', out, () => block.getUint8(-1));
  checks.that('nothing of it was written', block.equals(Buffer.alloc(SIZE, 0x11)), { bytes: SIZE });
}

/** @param {import('../types.js').Context} context */
function tooMuch({ ledger, checks, facts }) {
  const most = Number.MAX_SAFE_INTEGER;
  const error = caught(() => allocateMemory(most));
  checks.throws('allocate 2^53-1 bytes: an error, and the process lives on', 'ERR_OFFHEAP_OUT_OF_MEMORY', () => allocateMemory(most));
  checks.equal('the error is an OffHeapError and tells what was asked', [error instanceof OffHeapError, numbersOf(error).requested], [true, most]);

  setLimit(ledger.before.currentAllocated + ledger.current + 4096);
  const limited = caught(() => allocateMemory(1 << 20));
  checks.throws('1 MiB where setLimit() leaves 4 KiB', 'ERR_OFFHEAP_LIMIT', () => allocateMemory(1 << 20));
  checks.equal('the error tells what was asked and what is left', numbersOf(limited), { requested: 1 << 20, available: 4096 });
  facts.limitMessage = limited.message;
  setLimit(null);
  const block = ledger.allocate(1 << 20);
  checks.that('setLimit(null): the same request is granted', block.isValid(), { bytes: block.size });
  ledger.free(block);
}

/** @param {import('../types.js').Context} context @param {MemoryBlock} block */
function types({ checks }, block) {
  const [type, range, value] = ['ERR_INVALID_ARG_TYPE', 'ERR_OUT_OF_RANGE', 'ERR_INVALID_ARG_VALUE'];
  checks.throwsFor('sizes "8", null, {} and 8n', type, ['8', null, {}, 8n], (size) => allocateMemory(wrong(size)));
  checks.throwsFor('sizes 0, -1, NaN, 1.5 and 2^53', range, [0, -1, Number.NaN, 1.5, 2 ** 53], (size) => allocateMemory(size));
  checks.throws('alignment 3', value, () => allocateMemory(8, 3));
  checks.throws("copy mode 'x'", value, () => copyMemory(block, 0, block, 8, 8, wrong('x')));
  checks.throws('swap 12 bytes in groups of 8', value, () => copyMemory(block, 0, block, 0, 12, 'swap-endian', 8));
  checks.throws('a forged handle', type, () => freeMemory(Object.create(MemoryBlock.prototype)));
  checks.throws('a structured clone of a handle', type, () => freeMemory(wrong(structuredClone(block))));
}

/** @param {import('../types.js').Context} context @param {MemoryBlock} block */
function lifetime({ ledger, checks }, block) {
  const view = block.bytes();
  ledger.free(block);
  const dead = 'ERR_OFFHEAP_USE_AFTER_FREE';
  checks.throwsFor('free twice: free(), freeMemory()', 'ERR_OFFHEAP_DOUBLE_FREE', [() => block.free(), () => freeMemory(block)], (again) => again());
  checks.throws('write after free', dead, () => setMemory(block, 0, 1, 0));
  checks.throws('read after free', dead, () => block.getInt32(0));
  checks.throws('copy from freed memory', dead, () => copyMemory(block, 0, Buffer.alloc(8), 0, 8));
  checks.throws('a new view of freed memory', dead, () => block.toArrayBuffer());
  const next = ledger.allocate(SIZE).fill(0x33);
  checks.equal('an old view reads nothing of the next owner', [view.length, view[0]], [0, undefined]);
  checks.throws('the old handle cannot free the next owner', 'ERR_OFFHEAP_DOUBLE_FREE', () => block.free());
  checks.that('the next owner has its bytes', next.isValid() && next.equals(Buffer.alloc(SIZE, 0x33)), { bytes: SIZE });
  ledger.free(next);
}

/** @param {() => unknown} action @returns {Error} */
function caught(action) {
  try {
    action();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  return new Error('nothing was thrown');
}

/** @param {Error} error */
function numbersOf(error) {
  const { requested, available } = /** @type {{ requested?: number, available?: number }} */ (/** @type {unknown} */ (error));
  return { requested, available };
}
