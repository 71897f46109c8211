// @ts-check
import { DirectMemoryManager } from 'offheap';
import { bytesText } from '../printer.mjs';

/** @type {import('../types.js').Scene} */
export const statistics = {
  name: 'statistics',
  about: 'the library\'s totals against the demo\'s own books',
  run({ ledger, checks, facts, printer }) {
    const sizes = [1, 100, 5000, 1 << 20];
    const blocks = sizes.map((size) => ledger.allocate(size));
    const live = DirectMemoryManager.getMemoryStats();
    const { activeBlocks, currentAllocated } = ledger.before;
    const sum = sizes.reduce((total, size) => total + size, 0);
    checks.equal('four live blocks: count and bytes', [live.activeBlocks - activeBlocks, live.currentAllocated - currentAllocated], [4, sum], { bytes: sum });
    checks.equal('smallest, largest, average', [live.minBlockSize, live.maxBlockSize, live.averageBlockSize], [1, 1 << 20, sum / 4]);
    for (const block of blocks) ledger.free(block);

    const stats = DirectMemoryManager.getMemoryStats();
    const { before } = ledger;
    checks.equal('bytes ever allocated, all scenes', stats.totalAllocated - before.totalAllocated, ledger.allocated, { bytes: ledger.allocated });
    checks.equal('bytes ever freed', stats.totalFreed - before.totalFreed, ledger.freed, { bytes: ledger.freed });
    const peak = Math.max(before.peakAllocated, before.currentAllocated + ledger.peak);
    checks.equal('the most at one time', stats.peakAllocated, peak, { bytes: stats.peakAllocated });
    checks.equal('allocated now', stats.currentAllocated, before.currentAllocated, { bytes: stats.currentAllocated });
    checks.equal('blocks now', stats.activeBlocks, before.activeBlocks, { result: String(stats.activeBlocks) });
    checks.equal('taken away with their ArrayBuffer', stats.escaped, 0, { bytes: 0 });
    checks.equal('what was viewed and freed waits before it is used again', stats.quarantined > 0, true, { bytes: stats.quarantined });

    const trimmed = DirectMemoryManager.trim();
    const { committed } = DirectMemoryManager.getMemoryStats();
    const fell = [trimmed > 0, committed < stats.committed, DirectMemoryManager.trim()];
    checks.equal('trim() gives cached pages back; a second one finds none', fell, [true, true, 0], { bytes: trimmed });
    facts.totalAllocated = stats.totalAllocated;
    facts.peakAllocated = stats.peakAllocated;
    facts.quarantined = stats.quarantined;
    facts.trimmed = trimmed;
    facts.committed = committed;
    printer.note(`committed: ${bytesText(stats.committed)} before, ${bytesText(committed)} after trim()`);
  },
};
