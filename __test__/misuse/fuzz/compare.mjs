// Looks at everything that can be seen, and holds it against the truth.
import { DirectMemoryManager as dmm, check, fail, same } from '../_allocators.mjs';

/** `views`: buffers that were handed out, and whose they are. `waiting(pool)`: how many wait for a block of it. */
export function makeCompare(truth, { views, witnesses, escapees, waiting }) {
  let before;

  function compareHandles() {
    for (const { block, isLive } of truth.blocks) if (block.isValid() !== isLive) fail(`${block} should ${isLive ? '' : 'not '}live`);
    for (const { memory, isLive } of truth.memories) if (memory.isValid() !== isLive) fail(`${memory} should ${isLive ? '' : 'not '}live`);
    for (const { buffer, entry, life } of views) {
      if (entry?.hasEscaped) continue;
      const isSeen = entry.region === undefined ? entry.isLive : entry.region.life === life;
      if (buffer.byteLength > 0 !== isSeen) fail(`a view of ${entry.block ?? entry.memory} has ${buffer.byteLength} bytes`);
    }
  }

  function compareBytes() {
    for (const { block, byte } of witnesses) if (!block.copyOut().equals(Buffer.alloc(block.size, byte))) fail(`witness of ${block.size} bytes changed`);
    for (const { bytes, entry } of escapees) if (!entry.isShared && bytes.some((each) => each !== 0xee)) fail('bytes that escaped were written by somebody');
  }

  function compareBlocks(rows) {
    const offered = truth.tokens.filter(({ isOffered }) => isOffered);
    const known = [...truth.live(truth.blocks), ...offered];
    const own = rows.filter(({ kind, label, escaped }) => kind !== 'allocator' && !escaped && label !== 'witness');
    const stats = dmm.getMemoryStats();
    const bytes = known.reduce((sum, { size }) => sum + size, 0);
    before ??= { rows: own.length - known.length, bytes: stats.currentAllocated - bytes, escaped: stats.escaped }; // the bystanders
    same(own.length - known.length, before.rows, 'rows of blocks');
    same(stats.currentAllocated - bytes, before.bytes, 'currentAllocated');
    same(stats.totalAllocated - stats.totalFreed, stats.currentAllocated, 'totals');
    same(stats.activeBlocks, own.length + witnesses.length, 'activeBlocks');
    same(stats.escaped - before.escaped, truth.totals.escaped, 'escaped');
  }

  function compareRegion(region, rows) {
    const { allocator } = region;
    const list = truth.ofRegion(region);
    const stats = allocator.getStats();
    same(stats.allocatedBlocks, list.length, `blocks of ${allocator}`);
    const bytes = list.reduce((sum, { size }) => sum + size, 0);
    same(stats.requestedSize, bytes, `bytes of ${allocator}`);
    same(stats.allocatedSize + stats.freeSize, stats.totalSize, `the whole of ${allocator}`);
    same(rows.filter(({ owner }) => owner === allocator.name).reduce((sum, { size }) => sum + size, 0), bytes, `rows of ${allocator}`);
    const ranges = list.map(({ memory, size }) => ({ start: memory.offset, end: memory.offset + size })).toSorted((a, b) => a.start - b.start);
    for (let index = 1; index < ranges.length; index += 1) check(ranges[index - 1].end <= ranges[index].start, `memory of ${allocator} has one owner`);
    check(ranges.length === 0 || ranges.at(-1).end <= stats.totalSize, `memory of ${allocator} lies inside`);
  }

  return () => {
    compareHandles();
    compareBytes();
    const rows = dmm.getAllocatedBlocks();
    compareBlocks(rows);
    for (const region of truth.regions) if (region.isOpen) compareRegion(region, rows);
    for (const { pool, isClosed } of truth.pools) {
      if (isClosed) continue;
      const { inUse, waiters } = pool.getStats();
      same(inUse, truth.live(truth.blocks).filter((each) => each.pool?.pool === pool).length, `in use of ${pool}`);
      same(waiters, waiting(pool), `waiters of ${pool}`);
    }
  };
}
