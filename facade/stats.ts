/**
 * Stats and leaks: snapshots of what is live. They read records and free nothing.
 * Room: stats (6). May use: primordials, types, format, native, handles.
 */
import { makeStats } from './format.js';
import { ROW, alignmentOf, labelText } from './handles/facts.js';
import { ARGUMENT, T, idOf } from './handles/table.js';
import { binding } from './native.js';
import * as p from './primordials.js';
import type { AllocatorStats, AllocatorType, BlockInfo, MemoryStats } from './types.js';

const KINDS = ['block', 'pool', 'allocator'] as const;
/** Places in it. */
const POOL = 1;
const ALLOCATOR = 2;

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
    byAllocator: allAllocators(),
  });
}

/** Every live block of the process that is at least `minAgeMs` old, oldest first. */
export function blockRows(minAgeMs: number): BlockInfo[] {
  binding.settle();
  binding.arenasSettle(); // what lies ready in this isolate is free
  const numbers = binding.rows();
  const rows: BlockInfo[] = [];
  const names = allocatorNames();
  const count = p.typedArrayLength(numbers);
  for (let at = 0; at < count; at += ROW.length) {
    if ((numbers[at + ROW.ageMs] as number) >= minAgeMs) p.define(rows, rows.length, blockInfo(numbers, at, names), true);
  }
  return p.sortWith(rows, (a, b) => b.ageMs - a.ageMs || a.id - b.id);
}

/** In the order of the native kinds. */
const TYPES: readonly AllocatorType[] = ['buddy', 'slab', 'arena', 'ring', 'pool', 'hybrid'];

/** The native number of a type. */
export function numberOf(type: AllocatorType): number {
  let number = 0;
  while (TYPES[number] !== type) number += 1;
  return number;
}

/** Calls `each` with number, life and native kind of every open allocator, and its name. */
export function eachAllocator(each: (allocator: OpenAllocator) => void): void {
  const numbers = binding.allocatorList();
  const count = p.typedArrayLength(numbers);
  for (let at = 0; at < count; at += OPEN_LENGTH) {
    const field = (index: number): number => numbers[at + index] as number;
    const name = binding.allocatorName(field(0), field(1));
    if (typeof name !== 'string') continue; // closed meanwhile
    const type = TYPES[field(2)] as AllocatorType;
    each({ name, type, number: field(0), life: field(1), total: field(3), alignmentCode: field(4), overwrites: field(5) === 1 });
  }
}
const OPEN_LENGTH = 6;

/** An open allocator of the process. */
export interface OpenAllocator {
  readonly name: string;
  readonly type: AllocatorType;
  readonly number: number;
  readonly life: number;
  readonly total: number;
  readonly alignmentCode: number;
  readonly overwrites: boolean;
}

function allAllocators(): readonly AllocatorStats[] {
  const all: AllocatorStats[] = [];
  eachAllocator(({ name, type, number, life }) => {
    const stats = allocatorStats(name, type, number, life);
    if (stats !== undefined) p.define(all, all.length, stats, true);
  });
  return p.freeze(all);
}

/** One open allocator; undefined when it is closed. */
export function allocatorStats(name: string, allocatorType: AllocatorType, number: number, life: number): AllocatorStats | undefined {
  T[ARGUMENT] = number;
  T[ARGUMENT + 1] = life;
  binding.allocatorSettle(); // what lies ready, here and in other isolates, is free
  const numbers = binding.allocatorStats(number, life);
  if (p.typedArrayLength(numbers) === 0) return undefined;
  const field = (index: number): number => numbers[index] as number;
  const total = field(0);
  const held = field(1);
  const requested = field(2);
  const free = field(3);
  const largest = field(4);
  return makeStats<AllocatorStats>('AllocatorStats', {
    name,
    allocatorType,
    totalSize: total,
    allocatedSize: held,
    requestedSize: requested,
    freeSize: free,
    largestFree: largest,
    allocatedBlocks: field(5),
    freeBlocks: field(6),
    hits: field(7),
    misses: field(8),
    utilizationPercent: (100 * held) / total,
    fragmentationPercent: p.freeze({
      internal: held === 0 ? 0 : (100 * (held - requested)) / held,
      external: free === 0 ? 0 : (100 * field(9)) / free,
    }),
  });
}

/** Names of the open allocators, by number. */
function allocatorNames(): p.Index<string> {
  const names = p.makeIndex<string>();
  eachAllocator(({ name, number }) => {
    names[number] = name;
  });
  return names;
}

function ownerOf(kind: number, number: number, names: p.Index<string>): string {
  if (kind === ALLOCATOR) return names[number] ?? '(closed)';
  return kind === POOL ? (binding.poolName(number) ?? 'MemoryPool (closed)') : 'DirectMemoryManager';
}

function blockInfo(numbers: Float64Array, at: number, names: p.Index<string>): BlockInfo {
  const field = (index: number): number => numbers[at + index] as number;
  return makeStats<BlockInfo>('BlockInfo', {
    id: idOf(field(ROW.slot), field(ROW.generation)),
    kind: KINDS[field(ROW.ownerKind)] ?? 'block',
    owner: ownerOf(field(ROW.ownerKind), field(ROW.ownerNumber), names),
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
