// One walk through the whole API whose every result is known. It uses no method and no iterator of the realm while it walks, so that
// these may be tampered with meanwhile.
import { DirectMemoryManager as dmm, MemoryBlock } from '../../dist/index.js';
import { walkAllocators } from './_tour-allocators.mjs';
import { walkPools } from './_tour-pools.mjs';
import { walkWords } from './_tour-words.mjs';

const { dispose } = Symbol;
const heap = new Uint8Array(64).fill(5);
const options = Array.from({ length: 600 }, (_, index) => ({ label: `tour ${index}`, zeroed: true }));
const { Float64Array: Floats, DataView: Data, String: Text } = globalThis;
let round = 0;

function codeOf(act) {
  try {
    act();
  } catch (error) {
    return typeof error.message === 'string' && error.message !== '' ? error.code : 'no message';
  }
  return 'nothing thrown';
}

/** Returns undefined when all is as it should be, else what is not. Leaves nothing behind, unless it ends early. */
export function walk() {
  return walkBlocks() ?? walkPools(codeOf) ?? walkAllocators(codeOf);
}

/** The part of it that goes through blocks. */
export function walkBlocks() {
  round = (round + 1) % 600;
  const before = { blocks: dmm.getMemoryStats().activeBlocks, rows: dmm.getAllocatedBlocks().length };
  const block = dmm.allocateMemory(100, 64, options[round]);
  const bare = dmm.allocateMemory(40_000);
  if (block.label !== options[round].label || block.alignment !== 64 || block.size !== 100 || block.actualSize < 100) return 'facts';
  if (!(block.id > 0) || !(block.address > 0n) || !(block.allocatedTimestamp > 1e12) || !(block.getAgeMs() >= 0)) return 'more facts';
  if (block.getInt32(96) !== 0) return 'zeroed';
  block.fill(7);
  bare.setInt32(39_996, -5);
  bare.setFloat64(0, 1.5, false);
  bare.setBigInt64(8, -9n);
  bare.setUint16(16, 513);
  if (bare.getInt32(39_996) !== -5 || bare.getFloat64(0, false) !== 1.5 || bare.getBigInt64(8) !== -9n || bare.getUint8(17) !== 2) return 'accessors';
  const view = block.bytes();
  if (view[0] !== 7 || view[99] !== 7 || view[100] !== undefined) return 'bytes()';
  view[3] = 9;
  if (block.getUint8(3) !== 9 || block.text(4, 2) !== '\u0007\u0007') return 'a byte through a view';
  const buffer = dmm.createDirectByteBuffer(block, 3, 10);
  if (buffer[0] !== 9 || buffer[10] !== undefined) return 'createDirectByteBuffer()';
  block.setFloat64(8, 2.5);
  if (block.view(Floats, 8, 2)[0] !== 2.5 || typeof block.view(Data) !== 'object' || block.toArrayBuffer() !== block.toArrayBuffer()) return 'view()';
  if (dmm.getDirectBufferAddress(view) !== block.address || dmm.getDirectBufferAddress(block.toArrayBuffer()) !== block.address) return 'address';
  return walkWords(bare, codeOf) ?? operations(block, bare, view) ?? refusals(block) ?? figures(block, before) ?? ends(block, bare, view);
}

function operations(block, bare, view) {
  dmm.copyMemory(heap, 0, block, 0, 64);
  dmm.copyMemory(block, 0, block, 1, 64, 'non-temporal');
  if (view[64] !== 5 || view[65] !== 7 || dmm.compareMemory(block, 0, heap, 0, 64) !== 0 || dmm.mismatch(heap, 0, block, 10, 64) !== 55) return 'copy';
  bare.setUint32(100, 0x01020304);
  dmm.copyMemory(bare, 100, bare, 200, 4, 'swap-endian', 4);
  if (bare.getUint32(200) !== 0x04030201 || block.equals(bare) || !block.equals(block) || block.copyOut(64)[1] !== 7) return 'swap, equals, copyOut';
  dmm.setMemory(block, 0, 10, -1);
  if (block.getInt16(8) !== -1 || block.getUint8(10) !== 5) return 'setMemory';
  dmm.setMemory(block, 40, 8, 3);
  dmm.setMemory(bare, 300, 7, 3);
  dmm.setMemory(bare, 307, 1, 4);
  dmm.copyMemory(block, 40, block, 50, 4);
  if (block.getUint8(53) !== 3 || dmm.compareMemory(block, 40, bare, 300, 8) !== -1 || dmm.mismatch(block, 40, bare, 300, 8) !== 7) return 'short operations';
  const other = MemoryBlock.attach(block.share());
  if (other.address !== block.address || codeOf(() => MemoryBlock.attach({ type: 'offheap.SharedToken', key: 'x' })) !== 'ERR_INVALID_ARG_VALUE') return 'share';
  other.free();
  const copy = MemoryBlock.from(heap);
  block.copyTo(copy, 0, 90, 10);
  if (copy.getUint8(9) !== 7 || copy.getUint8(10) !== 5) return 'from, copyTo';
  copy[dispose]();
  copy[dispose]();
  return undefined;
}

function refusals(block) {
  const pin = block.pin();
  const inUse = codeOf(() => block.free());
  pin[dispose]();
  if (inUse !== 'ERR_OFFHEAP_IN_USE') return `free of a pinned block: ${inUse}`;
  if (codeOf(() => block.getInt32(97)) !== 'ERR_OUT_OF_RANGE' || codeOf(() => block.fill('x')) !== 'ERR_INVALID_ARG_TYPE') return 'argument errors';
  if (codeOf(() => dmm.allocateMemory(8, 'x')) !== 'ERR_INVALID_ARG_VALUE' || codeOf(() => dmm.copyMemory({}, 0, block, 0, 0)) !== 'ERR_INVALID_ARG_TYPE') return 'more of them';
  if (codeOf(() => dmm.allocateMemory(2 ** 53 - 1)) !== 'ERR_OFFHEAP_OUT_OF_MEMORY') return 'out of memory';
  return undefined;
}

function figures(block, before) {
  const stats = dmm.getMemoryStats();
  if (stats.activeBlocks !== before.blocks + 2 || !(stats.currentAllocated >= 40_100)) return 'stats';
  const rows = dmm.getAllocatedBlocks();
  let found = 0;
  for (let index = 0; index < rows.length; index += 1) if (rows[index].id === block.id && rows[index].label === block.label) found += 1;
  if (rows.length !== before.rows + 2 || found !== 1 || dmm.findPotentialLeaks(0).length !== before.rows + 2 || dmm.findPotentialLeaks(1e9).length !== 0) return 'rows';
  dmm.setLimit(stats.currentAllocated + 10);
  const limited = codeOf(() => dmm.allocateMemory(11));
  dmm.setLimit(null);
  return limited === 'ERR_OFFHEAP_LIMIT' ? undefined : `the limit: ${limited}`;
}

function ends(block, bare, view) {
  const next = dmm.reallocateMemory(block, 5000);
  if (view[0] !== undefined || block.isValid() || next.getUint8(65) !== 7 || next.bytes()[0] !== 255 || next.label !== block.label) return 'reallocateMemory';
  if (codeOf(() => block.getInt8(0)) !== 'ERR_OFFHEAP_USE_AFTER_FREE' || codeOf(() => block.free()) !== 'ERR_OFFHEAP_DOUBLE_FREE') return 'a dead handle';
  bare.free();
  if (!bare.freed || !(bare.freedTimestamp > 1e12) || Text(bare).length < 40 || Text(next).length < 40) return 'toString()';
  if (dmm.freeAllMemory() < 1 || next.isValid() || !next.freed || !(dmm.trim() >= 0)) return 'freeAllMemory';
  return undefined;
}
