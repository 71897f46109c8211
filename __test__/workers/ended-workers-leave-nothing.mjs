// Workers end by themselves, or by process.exit(), with memory in every state: rows, figures and allocators are as before them. What was
// pinned or leased at that moment may be in use by the system, and is orphaned: exactly that.
// expect: exit=0 code=none
import { DirectMemoryManager as dmm, checkBystanders } from '../misuse/_expect.mjs';
import { PINNED_BYTES, openAll } from './_lives.mjs';
import { MIB, check, print, same, startWorker } from './_workers.mjs';

const [how, WORKERS] = [process.argv[2], 12];
const allocators = openAll();
const own = allocators.map((allocator) => allocator.allocate(64).fill(9));
const rows = () => dmm.getAllocatedBlocks().filter(({ escaped }) => !escaped).map(({ id, owner, size }) => `${owner === 'all arena' ? '' : id} ${owner} ${size}`).toSorted().join();
const figures = () => allocators.filter(({ type }) => type !== 'arena').map((allocator) => {
  const { allocatedBlocks, allocatedSize, requestedSize, freeSize } = allocator.getStats();
  const room = allocator.type === 'ring' ? '' : [allocatedSize, freeSize]; // its room comes back behind main's grant
  return [allocator.type, allocatedBlocks, requestedSize, room].join(' ');
}).join();
const [before, rowsBefore, figuresBefore] = [dmm.getMemoryStats(), rows(), figures()];

let committed = 0;
for (let count = 0; count < WORKERS; count += 2) {
  const two = [count, count + 1].map((number) => startWorker(new URL('_lives.mjs', import.meta.url), { scene: 'hold', number, how }));
  for (const { told, ended } of two) {
    same(await told, 'held', 'what it tells');
    same(await ended, how === 'exit' ? 5 : 0, 'exit code of the worker');
  }
  const stats = dmm.getMemoryStats();
  for (const key of ['activeBlocks', 'currentAllocated', 'minBlockSize', 'maxBlockSize']) same(stats[key], before[key], key);
  same(stats.escaped, before.escaped + (count + 2) * PINNED_BYTES, 'escaped');
  if (count === 0) ({ committed } = stats);
  const arena = allocators.find(({ type }) => type === 'arena');
  if (arena.getStats().allocatedBlocks > 1) arena.reset(); // its row, a new one then, counts what nobody freed
  own[2] = arena.allocate(64).fill(9);
  if (arena.getStats().allocatedBlocks > 1) own[2].free();
  same(rows(), rowsBefore, 'rows');
  same(figures(), figuresBefore, 'figures of the allocators');
  checkBystanders();
  check(own.every((memory, index) => index === 2 || memory.getUint8(63) === 9), "main's own grants");
}
const { escaped } = dmm.getMemoryStats();
const grown = dmm.getMemoryStats().committed - committed - 2 * WORKERS * PINNED_BYTES; // a chunk is up to twice a block
check(grown <= 4 * MIB, `committed grew by ${grown} bytes`);
for (const [index, allocator] of allocators.entries()) {
  if (allocator.type !== 'arena') own[index].free();
  else allocator.reset();
  same(allocator.getStats().allocatedSize, 0, `allocatedSize of a ${allocator.type}`);
  allocator.close();
}
same(dmm.getMemoryStats().escaped, escaped, 'escaped: no worker kept a region');
print({ how, workers: WORKERS, grown });
