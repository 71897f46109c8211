// A walk of random steps over many blocks: allocate, view, free, escape, drop, collect, look. Every byte and every figure is followed.
// expect: exit=0 code=none
// node: --expose-gc
import { DirectMemoryManager as dmm, SIZES, check, collect, collectUntil, finish, isAll, rowsOf, statistics, transferAway, turn } from './_free.mjs';

let seed = 20_261_125;
const below = (limit) => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  return (seed >>> 8) % limit;
};
const LABEL = { label: 'walk' };
const held = [];
for (let step = 0; step < 1500; step += 1) {
  const mark = 1 + (step % 250);
  const at = below(held.length + 1);
  const one = held[at];
  if (one === undefined || held.length < 20) {
    const block = dmm.allocateMemory(SIZES[below(SIZES.length)], 'word', LABEL).fill(mark);
    const view = [() => undefined, () => block.bytes(), () => new Uint8Array(block.toArrayBuffer())][below(3)]();
    held.push({ block, view, mark, size: block.size });
  } else {
    check(one.view === undefined || isAll(one.view.subarray(0, one.size), one.mark), 'a view keeps its bytes');
    check(one.block === undefined || isAll(one.block.copyOut(), one.mark), 'a block keeps its bytes');
    const act = below(4);
    if (act === 0 && one.view !== undefined) one.block = undefined; // the view alone keeps it
    else if (act === 1 && one.block !== undefined && one.view !== undefined) {
      one.view = await transferAway(one.view.buffer);
      one.block.free();
      one.block = undefined;
    } else held.splice(at, 1)[0].block?.free();
  }
  if (step % 50 === 0) await (below(2) === 0 ? turn() : collect(2));
}
for (const { block } of held.splice(0)) block?.free();
await collectUntil(() => rowsOf('walk').length + statistics().escaped === 0, 'all memory came back');
finish();
