// The part of the tour that goes through the allocators; see _tour.mjs.
import { AdvancedMemoryAllocator, DirectMemoryManager as dmm } from '../../dist/index.js';
import { walkWords } from './_tour-words.mjs';

const { dispose } = Symbol;
const TYPES = ['buddy', 'slab', 'arena', 'ring', 'pool', 'hybrid'];
const NAMES = ['tour b', 'tour s', 'tour a', 'tour r', 'tour p', 'tour h'];
/** Slab and hybrid cut spans of 64 KiB; the others stay below what {@link ./_sweep.mjs} takes for hidden. */
const TOTALS = [16_384, 65_536, 16_384, 16_384, 16_384, 65_536];
const heap = new Uint8Array(64).fill(5);
const options = [{ overflow: 'error' }, undefined, {}, { overflow: 'overwrite-oldest' }, undefined, {}];

/** Undefined when all is as it should be, else what is not. */
export function walkAllocators(codeOf) {
  for (let index = 0; index < 6; index += 1) {
    const allocator = AdvancedMemoryAllocator.getInstance(NAMES[index], TYPES[index], TOTALS[index], 64, options[index]);
    allocator.reset(); // an earlier walk may have ended early
    const wrong = memoryOf(allocator, index, codeOf) ?? figuresOf(allocator, index) ?? endOf(allocator, index, codeOf);
    if (wrong !== undefined) return `${TYPES[index]}: ${wrong}`;
  }
  return codeOf(() => AdvancedMemoryAllocator.getInstance('tour', 'slabs', 4096)) === 'ERR_INVALID_ARG_VALUE' ? undefined : 'a type that is none';
}

function memoryOf(allocator, index, codeOf) {
  const memory = allocator.allocate(100, 'tour of memory');
  const other = allocator.tryAllocate(100);
  if (memory.size !== 100 || memory.label !== 'tour of memory' || !(memory.id > 0) || !(memory.address > 0n) || !(memory.allocatedSize >= 100)) return 'facts';
  if (memory.allocator !== allocator || memory.offset === other.offset || !(memory.getAgeMs() >= 0)) return 'more facts';
  memory.fill(7);
  memory.setInt32(96, -5);
  memory.setFloat64(8, 1.5, false);
  if (memory.getInt32(96) !== -5 || memory.getFloat64(8, false) !== 1.5 || memory.getUint8(0) !== 7) return 'accessors';
  dmm.copyMemory(heap, 0, other, 0, 64);
  other.copyTo(memory, 0, 0, 32);
  if (!other.equals(other) || other.equals(heap) || dmm.mismatch(memory, 0, other, 0, 64) !== 32 || memory.copyOut(31, 2)[1] !== 7 || memory.text(40, 1) !== '\u0007') return 'operations';
  if (TOTALS[index] === 16_384) {
    const view = memory.bytes();
    view[50] = 9;
    if (memory.getUint8(50) !== 9 || view[99] !== 255 || view[100] !== undefined || dmm.createDirectByteBuffer(memory, 50, 1)[0] !== 9) return 'views';
  }
  const words = walkWords(other, codeOf);
  if (words !== undefined) return words;
  const pin = other.pin();
  const inUse = codeOf(() => allocator.reset());
  pin[dispose]();
  if (inUse !== 'ERR_OFFHEAP_IN_USE') return `reset while pinned: ${inUse}`;
  if (codeOf(() => allocator.allocate(1e6)) !== 'ERR_OUT_OF_RANGE' || codeOf(() => dmm.freeMemory(memory)) !== 'ERR_OFFHEAP_FOREIGN_BLOCK') return 'refusals';
  return undefined;
}

function figuresOf(allocator, index) {
  const stats = allocator.getStats();
  if (stats.requestedSize !== 200 || stats.allocatedBlocks !== 2 || stats.allocatedSize + stats.freeSize !== TOTALS[index]) return 'stats';
  const rows = dmm.getAllocatedBlocks();
  let bytes = 0;
  for (let at = 0; at < rows.length; at += 1) if (rows[at].owner === NAMES[index] && rows[at].kind === 'allocator') bytes += rows[at].size;
  if (bytes !== 200) return 'rows';
  const list = dmm.getMemoryStats().byAllocator;
  let found = 0;
  for (let at = 0; at < list.length; at += 1) if (list[at].name === NAMES[index] && list[at].allocatorType === TYPES[index]) found += 1;
  return found === 1 && `${stats}`.length > 60 && `${allocator}`.length > 30 ? undefined : 'byAllocator';
}

function endOf(allocator, index, codeOf) {
  const memory = allocator.allocate(100);
  if (`${memory}`.length < 60) return 'toString()';
  allocator.free(memory);
  if (memory.isValid() || codeOf(() => memory.free()) !== 'ERR_OFFHEAP_DOUBLE_FREE' || codeOf(() => memory.getInt8(0)) !== 'ERR_OFFHEAP_USE_AFTER_FREE') return 'a freed handle';
  if (TYPES[index] === 'arena') {
    const mark = allocator.mark();
    const later = allocator.allocate(100);
    allocator.rewind(mark);
    if (later.isValid()) return 'rewind';
  }
  const last = allocator.allocate(100);
  if (!(allocator.trim() >= 0)) return 'trim';
  allocator.reset();
  if (last.isValid() || codeOf(() => last.free()) !== 'ERR_OFFHEAP_USE_AFTER_FREE') return 'reset';
  allocator.close();
  allocator[dispose]();
  return codeOf(() => allocator.allocate(8)) === 'ERR_OFFHEAP_CLOSED' && codeOf(() => allocator.mark()) === 'ERR_OFFHEAP_CLOSED' ? undefined : 'close';
}
