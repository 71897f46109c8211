// Frees among thieves: every view is dead, and no buffer that a thief was shown still reaches memory that was freed.
import { types } from 'node:util';
import { DirectMemoryManager as dmm, MemoryBlock, SIZES, check, crowd, disperse, refuses } from './_free.mjs';
import { stolen } from './_thieves.mjs';

const { isArrayBuffer } = types;
const addressOf = dmm.getDirectBufferAddress;

export function freeAmongThieves() {
  const dead = [];
  const freed = new Set();
  for (const size of SIZES) {
    const block = dmm.allocateMemory(size).fill(7);
    const exact = block.toArrayBuffer();
    const view = block.bytes();
    dead.push(view, new Uint8Array(exact), block.view(Uint16Array));
    Object.setPrototypeOf(view, null);
    Object.setPrototypeOf(exact, MemoryBlock.prototype);
    check(view[0] === 7, 'a view without a prototype');
    const next = dmm.reallocateMemory(block, size + 1);
    dead.push(next.bytes());
    freed.add(block.address).add(next.address);
    next.free();
    refuses('ERR_OFFHEAP_USE_AFTER_FREE', () => block.bytes(), () => next.bytes());
  }
  const blocks = SIZES.flatMap((size) => crowd(size, { count: 100 }));
  check(dead.every((view) => view[0] === undefined), 'every view is dead');
  for (const view of dead) view[0] = 9;
  for (const { address } of blocks) freed.add(address);
  disperse(blocks);
  const loot = stolen.filter((each) => isArrayBuffer(each) && freed.has(addressOf(each)));
  check(loot.length === 0, `thieves reach ${loot.length} freed blocks`);
}
