// What the specs of pools share.
import test from 'ava';
import { DirectMemoryManager as Manager, MemoryPool } from '../index.js';
import type { PoolStats } from '../index.js';
import { sweep } from '../facade/handles/life.js';
import { binding } from '../facade/native.js';
import { freeEverything } from './_settled.js';

const opened: MemoryPool[] = [];
/** A pool that is closed after the test. */
export function open(...args: ConstructorParameters<typeof MemoryPool>): MemoryPool {
  const pool = new MemoryPool(...args);
  opened.push(pool);
  return pool;
}

export const counts = ({ available, inUse, waiters, hits, misses }: PoolStats): number[] => [available, inUse, waiters, hits, misses];

/** After each test: pools close, what is in use is freed, and no row is left. */
export function closeAfterEach(): void {
  test.afterEach.always('nothing stays', async (t) => {
    Manager.setLimit(null);
    for (const pool of opened.splice(0)) pool.close();
    const left = binding.blocksOf(binding.isolateNumber(), true);
    for (let at = 0; at < left.length; at += 3) sweep(left[at] as number, left[at + 1] as number, left[at + 2] !== 0);
    t.is(await freeEverything(), 0);
    t.deepEqual(Manager.getAllocatedBlocks(), []);
  });
}
