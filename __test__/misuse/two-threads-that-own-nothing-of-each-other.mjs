// Two workers allocate, free and call freeAllMemory at once: neither frees or disturbs the other's blocks or main's.
// expect: exit=0 code=ERR_OFFHEAP_USE_AFTER_FREE
// message: MemoryBlock … cannot be used any more: it was freed. Keep a handle only as long as its memory; isValid() tells.
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, threadId } from 'node:worker_threads';
import { DirectMemoryManager as dmm, check, finish, refuses, same } from './_expect.mjs';

if (isMainThread) {
  const live = [dmm.allocateMemory(64).fill(1)];
  const codes = [0, 1].map(() => new Promise((resolve) => { new Worker(fileURLToPath(import.meta.url)).once('exit', resolve); }));
  for (let round = 0; round < 2000; round += 1) dmm.allocateMemory(64 + round).free();
  check((await Promise.all(codes)).every((code) => code === 0), 'both workers were content');
  refuses('ERR_OFFHEAP_USE_AFTER_FREE', () => { const block = dmm.allocateMemory(8); block.free(); block.bytes(); });
  finish({ live });
} else {
  const bystanders = dmm.freeAllMemory(); // this worker's own, which _expect.mjs made
  for (let round = 0; round < 200; round += 1) {
    const mine = Array.from({ length: 20 }, (_, index) => dmm.allocateMemory(64 + index * 50).fill(threadId));
    for (const block of mine) if (block.size % 100 === 64) block.bytes()[0] = threadId;
    check(mine.every((block) => block.getUint8(0) === threadId && block.getUint8(block.size - 1) === threadId), 'own bytes');
    same(dmm.freeAllMemory(), 20, 'blocks freed');
    check(mine.every((block) => !block.isValid()), 'all are freed'); // and are held so long: one that is collected before is left to its finalizer
  }
  check(bystanders > 10, 'bystanders');
}
