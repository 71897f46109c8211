// MemoryBlock gets another parent class, which would be handed the key that makes handles, and then forges one of any size.
// expect: exit=0 code=none
import { DirectMemoryManager as dmm, MemoryBlock, fail, finish } from './_expect.mjs';

const Handle = Object.getPrototypeOf(MemoryBlock);
let stolen;
function Thief(key, slot, generation, size) {
  stolen = key;
  return Reflect.construct(Handle, [key, slot, generation, size * 1000], new.target);
}
try {
  Object.setPrototypeOf(MemoryBlock, Thief);
} catch {} // refused: as it should be
const block = dmm.allocateMemory(64);
if (stolen !== undefined || block.size !== 64) fail(`the key is out, and a block of 64 bytes has ${block.size}`);
finish({ live: [block] });
