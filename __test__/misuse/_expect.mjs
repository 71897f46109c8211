// Bystanders: blocks that no misuse may touch. `finish()` proves that they kept their bytes and that the statistics are exact.
import { threadId } from 'node:worker_threads';
import { AdvancedMemoryAllocator, DirectMemoryManager, MemoryBlock, MemoryPool } from '../../dist/index.js';
import { check, print, same } from './_refuses.mjs';

export { AdvancedMemoryAllocator, DirectMemoryManager, MemoryBlock, MemoryPool };
export * from './_refuses.mjs';

const SIZES = [1, 8, 24, 64, 64, 100, 100, 1000, 4096, 4096, 5000, 40000, 65536, 65536, 300001];
const pattern = (index, at) => (at * 7 + index * 13 + 5) & 255;
const bystanders = SIZES.map(watched);

/** Every second one is viewed, every fourth also through a buffer of its own. */
function watched(size, index) {
  const block = DirectMemoryManager.allocateMemory(size);
  const heap = Buffer.from({ length: size }, (_, at) => pattern(index, at));
  DirectMemoryManager.copyMemory(heap, 0, block, 0, size);
  const view = index % 2 === 0 ? block.bytes() : undefined;
  const exact = index % 4 === 0 ? new Uint8Array(block.toArrayBuffer()) : undefined;
  return { block, size, heap, view, exact, address: block.address };
}

/** The bytes of every bystander, however they are read. */
export function checkBystanders() {
  for (const { block, size, heap, view, exact, address } of bystanders) {
    const name = `bystander of ${size} bytes`;
    check(block.isValid() && block.size === size && block.address === address, `${name} lives where it was`);
    check(heap.equals(block.copyOut()), `${name} kept its bytes`);
    for (const at of [0, size >> 1, size - 1]) same(block.getUint8(at), heap[at], `${name} at ${at}`);
    check(view === undefined || heap.equals(view), `${name} kept its view`);
    check(exact === undefined || heap.equals(exact), `${name} kept its buffer`);
  }
}

const named = (list) => list.map(({ id, size }) => `${id}:${size}`).toSorted().join();

/** Totals, extremes and rows against what the program knows to be live. */
function checkStats(live, escaped) {
  const sizes = live.map(({ size }) => size);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const stats = DirectMemoryManager.getMemoryStats();
  same(stats.activeBlocks, live.length, 'activeBlocks');
  same(stats.currentAllocated, bytes, 'currentAllocated');
  same(stats.totalAllocated - stats.totalFreed, bytes, 'totalAllocated − totalFreed');
  same(stats.minBlockSize, live.length === 0 ? 0 : Math.min(...sizes), 'minBlockSize');
  same(stats.maxBlockSize, Math.max(0, ...sizes), 'maxBlockSize');
  same(stats.averageBlockSize, live.length === 0 ? 0 : bytes / live.length, 'averageBlockSize');
  same(stats.escaped, escaped, 'escaped');
  check(stats.peakAllocated >= bytes && stats.peakAllocated <= stats.totalAllocated, 'peakAllocated is between now and ever');
  const rows = DirectMemoryManager.getAllocatedBlocks().filter((row) => !row.escaped);
  same(named(rows), named(live), 'rows of getAllocatedBlocks()');
}

/** Blocks that nobody here can name: figures must agree with their rows. */
function unnamed(others) {
  const isMeant = others === true ? (row) => row.threadId !== threadId : (row) => row.label === others;
  return DirectMemoryManager.getAllocatedBlocks().filter((row) => isMeant(row) && !row.escaped);
}

/**
 * `live`: the program's own blocks that are still to be there. `escaped`: bytes that went away with their ArrayBuffer.
 * `stuck`: allocators that nothing can close; no other may be open.
 * `others`: there may be blocks of workers (true) or with a label, of any number; orphans and escaped ones are counted as they are.
 */
export function finish({ live = [], escaped = 0, others = false, stuck = [] } = {}) {
  same(DirectMemoryManager.getMemoryStats().byAllocator.map(({ name }) => name).join(), stuck.map(({ name }) => name).join(), 'open allocators');
  const blocks = bystanders.map(({ block }) => block);
  const expected = others ? [...live, ...unnamed(others)] : live;
  const away = others ? DirectMemoryManager.getMemoryStats().escaped : escaped;
  checkBystanders();
  checkStats([...blocks, ...expected], away);
  for (const block of blocks) block.free();
  checkStats(expected, away);
  print({ bystanders: 'intact', stats: 'exact' });
}

/** Keeps `freeAllMemory` off the bystanders until the returned function is called. */
export function pinBystanders() {
  const pins = bystanders.map(({ block }) => block.pin());
  return () => pins.forEach((pin) => pin[Symbol.dispose]());
}

/** Gives a buffer's memory to somebody else: `transfer()`, or a byte stream where Node has none. */
export async function transferAway(buffer) {
  if (buffer.transfer !== undefined) return new Uint8Array(buffer.transfer());
  const stream = new ReadableStream({ type: 'bytes', start: (controller) => controller.enqueue(new Uint8Array(buffer)) });
  return (await stream.getReader().read()).value;
}

const { defineProperty, getOwnPropertyDescriptor, deleteProperty } = Reflect;
const { assign, create } = Object;

/** Replaces a property for as long as `act` runs. */
export function tampered(target, key, descriptor, act) {
  const before = getOwnPropertyDescriptor(target, key);
  if (!defineProperty(target, key, assign(create(null), descriptor, { configurable: true }))) throw new Error(`cannot replace ${String(key)}`);
  try {
    return act();
  } finally {
    if (before === undefined) deleteProperty(target, key);
    else defineProperty(target, key, before);
  }
}
