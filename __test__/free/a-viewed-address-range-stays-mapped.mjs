// Blocks of every kind are viewed, freed, and trimmed: their addresses stay mapped, so that late I/O meets no memory of somebody else.
// expect: exit=0 code=none
// node: --expose-gc
import { MIB, DirectMemoryManager as dmm, SIZES, check, collect, finish, mappings, turn } from './_free.mjs';

const sizes = [16, ...SIZES, 300_000, MIB, 9 * MIB, 20 * MIB, 200 * MIB];
const ranges = sizes.flatMap((size) => Array.from({ length: size > MIB ? 1 : 5 }, () => {
  const block = dmm.allocateMemory(size);
  const range = { from: block.address, to: block.address + BigInt(block.actualSize), size };
  block.bytes().fill(7, 0, 4096);
  block.toArrayBuffer();
  block.free();
  return range;
}));
async function allMapped(when) {
  const lines = await mappings();
  for (const { from, to, size } of ranges) {
    let at = from; // a range may lie on several lines
    for (const line of lines) if (line.from <= at && at < line.to) at = line.to;
    check(at >= to, `${size} bytes at ${from} are mapped ${when}`);
  }
}
await allMapped('after the free');
dmm.trim();
await allMapped('after trim()');
for (let round = 0; round < 5; round += 1) await turn();
await collect();
dmm.trim();
await allMapped('after turns, collections and trim()');
finish();
