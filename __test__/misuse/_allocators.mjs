// Bystanders of the second kind: an allocator of each type with memory that no misuse may touch. `finish()` proves that it kept its bytes,
// that the figures are exact, and looks after the blocks as well.
import { AdvancedMemoryAllocator, DirectMemoryManager as dmm, check, finish as finishBlocks, same } from './_expect.mjs';

export { AdvancedMemoryAllocator };
export * from './_expect.mjs';
export const TYPES = ['buddy', 'slab', 'arena', 'ring', 'pool', 'hybrid'];
export const MIB = 2 ** 20;

const pattern = (type, index, at) => (at * 11 + type * 29 + index * 17 + 3) & 255;
const bystanders = TYPES.map((type, number) => {
  const allocator = AdvancedMemoryAllocator.getInstance(`bystander ${type}`, type, MIB);
  const list = [64, 100, 5000].map((size, index) => {
    const memory = allocator.allocate(size);
    const heap = Buffer.from({ length: size }, (_, at) => pattern(number, index, at));
    dmm.copyMemory(heap, 0, memory, 0, size);
    return { memory, heap, view: index === 1 ? memory.bytes() : undefined };
  });
  return { allocator, list };
});

/** One for a program's own use. */
export const open = (type, total = MIB, ...more) => AdvancedMemoryAllocator.getInstance(`own ${type}`, type, total, ...more);

/** What an allocator holds, against what the program knows to be live there. */
function checkFigures(allocator, live) {
  const { allocatedBlocks, requestedSize, allocatedSize, freeSize, totalSize } = allocator.getStats();
  same(allocatedBlocks, live.length, `blocks of ${allocator}`);
  same(requestedSize, live.reduce((sum, { size }) => sum + size, 0), `bytes of ${allocator}`);
  same(allocatedSize + freeSize, totalSize, `the whole of ${allocator}`);
  const rows = dmm.getAllocatedBlocks().filter(({ owner }) => owner === allocator.name);
  same(rows.reduce((sum, { size }) => sum + size, 0), requestedSize, `rows of ${allocator}`);
  for (const memory of live) check(memory.isValid(), `${memory} lives`);
}

/**
 * `live`: pairs of an open allocator of the program and its memory that is still to be there; all others must be closed.
 * `stuck`: allocators that nothing can close.
 */
export function finish({ live = [], stuck = [], ...blocks } = {}) {
  const own = live.map(([allocator]) => allocator);
  const names = [...bystanders.map(({ allocator }) => allocator), ...own].map(({ name }) => name);
  same(dmm.getMemoryStats().byAllocator.map(({ name }) => name).toSorted().join(), names.toSorted().join(), 'open allocators');
  for (const { allocator, list } of bystanders) {
    checkFigures(allocator, list.map(({ memory }) => memory));
    for (const { memory, heap, view } of list) {
      check(memory.equals(heap) && heap.equals(memory.copyOut()), `${memory} kept its bytes`);
      check(view === undefined || heap.equals(view), `${memory} kept its view`);
      memory.free();
    }
    checkFigures(allocator, []);
    allocator.close();
  }
  for (const [allocator, list] of live) {
    checkFigures(allocator, list);
    for (const memory of list) memory.free();
    checkFigures(allocator, []);
    if (!stuck.includes(allocator)) allocator.close();
  }
  finishBlocks({ ...blocks, stuck });
}
