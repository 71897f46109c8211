// @ts-check
// Pages of the file go through blocks of one size: taken from a pool, written, read back, released, taken again by those who waited.
import { AlignmentMode, MemoryPool } from 'offheap';
import { bytesText } from '../printer.mjs';

const SIZE = 64 * 1024;
const KEPT = 8;
const LIMIT = 12;

/** @type {import('../types.js').Scene} */
export const memoryPool = {
  name: 'memory pool',
  about: 'blocks of one size that come back, with a limit and a queue',
  async run({ input, ledger, checks, facts, printer }) {
    const pool = new MemoryPool(SIZE, AlignmentMode.PAGE_ALIGNED, KEPT, { limit: LIMIT, label: 'demo: frames' });
    const blocks = Array.from({ length: LIMIT }, () => ledger.keep(pool.acquire()));
    const end = input.bytes.length;
    const { bytes } = input;
    blocks.forEach((block, index) => block.bytes().set(bytes.subarray(end - (index + 1) * SIZE, end - index * SIZE)));
    const written = input.bytes;
    const intact = blocks.every((block, index) => block.equals(written.subarray(end - (index + 1) * SIZE, end - index * SIZE)));
    checks.that(`${LIMIT} blocks, each its own, hold their bytes`, intact && new Set(blocks.map(({ address }) => address)).size === LIMIT, { bytes: LIMIT * SIZE });
    checks.throws('one more than the limit', 'ERR_OFFHEAP_LIMIT', () => pool.acquire());

    const waiting = [pool.acquireAsync({ timeoutMs: 5000 }), pool.acquireAsync({ timeoutMs: 5 }).catch(({ code }) => code)];
    const [first, ...others] = blocks;
    const view = /** @type {import('offheap').MemoryBlock} */ (first).bytes();
    ledger.release(pool, /** @type {import('offheap').MemoryBlock} */ (first));
    const served = /** @type {import('offheap').MemoryBlock} */ (ledger.keep(await waiting[0]));
    checks.equal('who waits gets what comes back, or is told in time', [served.isValid(), await waiting[1]], [true, 'ERR_OFFHEAP_TIMEOUT']);
    checks.equal('a view of what was released', view.length, 0);
    checks.throws('releasing it again', 'ERR_OFFHEAP_DOUBLE_FREE', () => pool.release(/** @type {import('offheap').MemoryBlock} */ (first)));

    for (const block of [served, ...others]) ledger.release(pool, block);
    const { available, inUse } = pool.getStats();
    checks.equal('all came back, and as many as asked are kept', [available, inUse], [KEPT, 0], { bytes: KEPT * SIZE });
    const again = ledger.keep(pool.acquire());
    checks.that('what was released is zeroed', again.copyOut().every((byte) => byte === 0), { bytes: SIZE });
    const stats = pool.getStats();
    checks.equal('it was a kept one', stats.hits, 1);
    facts.pool = { hits: stats.hits, misses: stats.misses, available: stats.available };
    printer.note(`${stats}`);
    pool.close();
    checks.equal('a block in use outlives its pool', [again.isValid(), again.size], [true, SIZE]);
    again.free();
    ledger.left(again);
    printer.note(`${LIMIT + 2} acquires, ${bytesText(KEPT * SIZE)} kept in between`);
  },
};
