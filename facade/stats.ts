/**
 * Stats and leaks: snapshots of what is live. They read records and free nothing.
 * Room: stats (6). May use: primordials, types, format, native, handles.
 */
import { makeStats } from './format.js';
import { ROW, alignmentOf, labelText } from './handles/facts.js';
import { idOf } from './handles/table.js';
import { binding } from './native.js';
import * as p from './primordials.js';
import type { BlockInfo, MemoryStats } from './types.js';

const KINDS = ['block', 'pool', 'allocator'] as const;

/** Totals of the process. */
export function memoryStats(): MemoryStats {
  binding.settle();
  const numbers = binding.stats();
  const field = (index: number): number => numbers[index] as number;
  const current = field(2);
  const blocks = field(4);
  return makeStats<MemoryStats>('MemoryStats', {
    totalAllocated: field(0),
    totalFreed: field(1),
    currentAllocated: current,
    peakAllocated: field(3),
    activeBlocks: blocks,
    nextBlockId: field(5),
    averageBlockSize: blocks === 0 ? 0 : current / blocks,
    minBlockSize: field(6),
    maxBlockSize: field(7),
    committed: field(8),
    quarantined: field(10),
    escaped: field(9),
    collected: field(11),
    byAllocator: [],
  });
}

/** Every live block of the process that is at least `minAgeMs` old, oldest first. */
export function blockRows(minAgeMs: number): BlockInfo[] {
  binding.settle();
  const numbers = binding.rows();
  const rows: BlockInfo[] = [];
  const count = p.typedArrayLength(numbers);
  for (let at = 0; at < count; at += ROW.length) {
    if ((numbers[at + ROW.ageMs] as number) >= minAgeMs) p.define(rows, rows.length, blockInfo(numbers, at), true);
  }
  return p.sortWith(rows, (a, b) => b.ageMs - a.ageMs || a.id - b.id);
}

function blockInfo(numbers: Float64Array, at: number): BlockInfo {
  const field = (index: number): number => numbers[at + index] as number;
  return makeStats<BlockInfo>('BlockInfo', {
    id: idOf(field(ROW.slot), field(ROW.generation)),
    kind: KINDS[field(ROW.ownerKind)] ?? 'block',
    owner: 'DirectMemoryManager',
    size: field(ROW.size),
    actualSize: field(ROW.actualSize),
    address: p.toBigInt(field(ROW.address)),
    alignment: alignmentOf(field(ROW.alignment)),
    label: labelText(field(ROW.label)),
    ageMs: field(ROW.ageMs),
    threadId: field(ROW.threadId),
    pinned: field(ROW.pins) > 0,
    escaped: (field(ROW.flags) & 2) !== 0,
  });
}
