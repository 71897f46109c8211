// freeAllMemory ends every block of the isolate, viewed or not, except pinned ones; their handles then say so.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE,ERR_OFFHEAP_USE_AFTER_FREE
// message: MemoryBlock … cannot be used any more: it was freed. Keep a handle only as long as its memory; isValid() tells.
import { CALLS, USES, allRefuse } from './_calls.mjs';
import { check, print, refuses, same } from './_refuses.mjs';
import { DirectMemoryManager as dmm } from '../../dist/index.js';

const blocks = [64, 64, 100, 40000].map((size) => dmm.allocateMemory(size).fill(7));
const views = [blocks[1].bytes(), new Uint8Array(blocks[2].toArrayBuffer()), blocks[2].view(DataView)];
const pinned = dmm.allocateMemory(64).fill(9);
const pin = pinned.pin();
same(dmm.freeAllMemory(), 4, 'blocks freed');
check(pinned.getUint8(63) === 9 && views.every(({ buffer }) => buffer.byteLength === 0), 'the pinned one stays, views die');
for (const block of blocks) await allRefuse('ERR_OFFHEAP_USE_AFTER_FREE', USES, block);
for (const block of blocks) refuses('ERR_OFFHEAP_DOUBLE_FREE', () => block.free(), () => dmm.freeMemory(block));
for (const { tells, run } of CALLS) if (tells) run(blocks[0]);
check(blocks.every(({ freed, freedTimestamp }) => freed && freedTimestamp > 0), 'they know that they are freed');
pin[Symbol.dispose]();
same(`${dmm.freeAllMemory()} ${dmm.freeAllMemory()} ${dmm.getMemoryStats().currentAllocated} ${dmm.getAllocatedBlocks().length}`, '1 0 0 0', 'the rest');
print({ stats: 'exact' });
