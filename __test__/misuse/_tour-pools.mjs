// The part of the tour that goes through pools; see _tour.mjs.
import { DirectMemoryManager as dmm, MemoryPool } from '../../dist/index.js';

const { dispose } = Symbol;
const options = { limit: 2, label: 'tour of a pool', zeroed: true, zeroOnRelease: true };
const { String: Text } = globalThis;

/** Undefined when all is as it should be, else what is not. */
export function walkPools(codeOf) {
  const pool = new MemoryPool(100, 64, 4, options);
  const wrong = walk(pool, codeOf);
  pool.close();
  if (codeOf(() => pool.acquire()) !== 'ERR_OFFHEAP_CLOSED') return 'pool: closed';
  return wrong === undefined ? undefined : `pool: ${wrong}`;
}

function walk(pool, codeOf) {
  const block = pool.acquire();
  const viewed = pool.acquire();
  if (block.size !== 100 || block.label !== options.label || block.alignment !== 64 || block.address === viewed.address) return 'facts';
  if (codeOf(() => pool.acquire()) !== 'ERR_OFFHEAP_LIMIT') return 'the limit';
  const view = viewed.bytes();
  view[99] = 7;
  block.setInt32(96, -5);
  if (viewed.getUint8(99) !== 7 || block.getInt32(96) !== -5 || block.getUint8(0) !== 0) return 'bytes';
  if (codeOf(() => dmm.freeMemory(block)) !== 'ERR_OFFHEAP_FOREIGN_BLOCK') return 'freeMemory of a pooled block';
  const rows = dmm.getAllocatedBlocks();
  let found = 0;
  for (let index = 0; index < rows.length; index += 1) if (rows[index].kind === 'pool' && rows[index].owner === "MemoryPool 'tour of a pool'") found += 1;
  if (found !== 2) return 'rows';
  pool.release(block);
  viewed.free();
  if (view[99] !== undefined || codeOf(() => pool.release(block)) !== 'ERR_OFFHEAP_DOUBLE_FREE' || !(viewed.freedTimestamp > 1e12)) return 'release';
  const again = pool.acquire();
  if (again.getInt32(96) !== 0 || again.address !== block.address) return 'the next owner';
  const stats = pool.getStats();
  if (stats.inUse !== 1 || stats.available !== 1 || stats.hits !== 1 || stats.misses !== 2 || stats.maxSize !== 4 || stats.waiters !== 0) return 'stats';
  if (Text(stats).length < 40 || Text(pool).length < 20) return 'toString()';
  again[dispose]();
  pool.clear();
  return pool.getStats().available === 0 ? undefined : 'clear';
}
