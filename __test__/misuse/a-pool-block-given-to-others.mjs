// Blocks of a pool, plain, viewed, pinned and dead, given to the manager and to another pool; a plain block given to a pool.
// expect: exit=0 code=ERR_OFFHEAP_FOREIGN_BLOCK,ERR_OFFHEAP_DOUBLE_FREE,ERR_OFFHEAP_IN_USE,ERR_OFFHEAP_USE_AFTER_FREE
// message: MemoryBlock … belongs to MemoryPool 'own', not to DirectMemoryManager. Call its own free(), or hand it to its owner.
import { DirectMemoryManager as dmm, MemoryPool, check, finish, refuses, same } from './_expect.mjs';

const pool = new MemoryPool(100, 8, 4, { label: 'own' });
const other = new MemoryPool(100, 8, 4);
const [plain, viewed, pinned, dead] = Array.from({ length: 4 }, () => pool.acquire().fill(7));
const view = viewed.bytes();
const pin = pinned.pin();
pool.release(dead);
for (const block of [plain, viewed, pinned]) {
  refuses('ERR_OFFHEAP_FOREIGN_BLOCK', () => dmm.freeMemory(block), () => dmm.reallocateMemory(block, 50), () => other.release(block));
  same(block.getUint8(99), 7, 'untouched');
}
refuses('ERR_OFFHEAP_IN_USE', () => pool.release(pinned), () => pinned.free(), () => pinned[Symbol.dispose]());
refuses('ERR_OFFHEAP_DOUBLE_FREE', () => pool.release(dead), () => other.release(dead), () => dead.free(), () => dmm.freeMemory(dead));
refuses('ERR_OFFHEAP_USE_AFTER_FREE', () => dmm.reallocateMemory(dead, 50));
const block = dmm.allocateMemory(100).fill(9);
refuses('ERR_OFFHEAP_FOREIGN_BLOCK', () => pool.release(block), () => other.release(block));
check(view.length === 100 && view[99] === 7 && block.getUint8(99) === 9, 'views and bytes are as they were');
same(`${pool.getStats()}${other.getStats()}`.match(/inUse=\d/g).join(), 'inUse=3,inUse=0', 'counts');
pin[Symbol.dispose]();
for (const each of [plain, viewed, pinned, block]) each.free();
same(pool.getStats().inUse + view.length, 0, 'everything came back');
finish();
