/**
 * Stats and leaks: snapshots of what is live. They read records and free nothing.
 * Room: stats (6). May use: types, format, native, handles.
 */
import { makeStats } from './format.js';
import { ROW, alignmentOf, labelText } from './handles/facts.js';
import { idOf } from './handles/table.js';
import { binding } from './native.js';
import type { BlockInfo, MemoryStats } from './types.js';

const KINDS = ['block', 'pool', 'allocator'] as const;

/** Totals of the process. */
export function memoryStats(): MemoryStats {
  const [allocated = 0, freed = 0, current = 0, peak = 0, blocks = 0, nextId = 0, min = 0, max = 0, committed = 0, escaped = 0] =
    binding.stats();
  return makeStats<MemoryStats>('MemoryStats', {
    totalAllocated: allocated,
    totalFreed: freed,
    currentAllocated: current,
    peakAllocated: peak,
    activeBlocks: blocks,
    nextBlockId: nextId,
    averageBlockSize: blocks === 0 ? 0 : current / blocks,
    minBlockSize: min,
    maxBlockSize: max,
    committed,
    quarantined: 0, // nothing is held back before reuse
    escaped,
    collected: 0, // nothing is reclaimed by garbage collection
    byAllocator: [],
  });
}

/** Every live block of the process that is at least `minAgeMs` old, oldest first. */
export function blockRows(minAgeMs: number): BlockInfo[] {
  const numbers = binding.rows();
  const rows: BlockInfo[] = [];
  for (let at = 0; at < numbers.length; at += ROW.length) {
    if ((numbers[at + ROW.ageMs] as number) >= minAgeMs) rows[rows.length] = blockInfo(numbers, at);
  }
  return rows.sort((a, b) => b.ageMs - a.ageMs || a.id - b.id);
}

function blockInfo(numbers: Float64Array, at: number): BlockInfo {
  const field = (index: number): number => numbers[at + index] as number;
  return makeStats<BlockInfo>('BlockInfo', {
    id: idOf(field(ROW.slot), field(ROW.generation)),
    kind: KINDS[field(ROW.ownerKind)] ?? 'block',
    owner: 'DirectMemoryManager',
    size: field(ROW.size),
    actualSize: field(ROW.actualSize),
    address: BigInt(field(ROW.address)),
    alignment: alignmentOf(field(ROW.alignment)),
    label: labelText(field(ROW.label)),
    ageMs: field(ROW.ageMs),
    threadId: field(ROW.threadId),
    pinned: field(ROW.pins) > 0,
    escaped: (field(ROW.flags) & 2) !== 0,
  });
}
