// A walk of random steps over many blocks: allocate, view, free, escape, drop, collect, look. Every byte and every figure is followed.
// expect: exit=0 code=none
// node: --expose-gc
import { DirectMemoryManager as dmm, SIZES, apart, check, collect, collectUntil, finish, isAll, rowsOf, statistics, transferAway, turn } from './_free.mjs';

let seed = 20_261_125;
function below(limit) {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  return (seed >>> 8) % limit;
}

const VIEWS = [() => undefined, (block) => block.bytes(), (block) => new Uint8Array(block.toArrayBuffer())];
function allocate(mark) {
  const block = dmm.allocateMemory(SIZES[below(SIZES.length)], 'word', { label: 'walk' }).fill(mark);
  return { block, view: VIEWS[below(3)](block), mark, size: block.size };
}

/** What holds a block is checked; then the handle is dropped, the buffer escapes, or all of it goes. */
async function step(held, one) {
  check(one.view === undefined || isAll(one.view.subarray(0, one.size), one.mark), 'a view keeps its bytes');
  check(one.block === undefined || isAll(one.block.copyOut(), one.mark), 'a block keeps its bytes');
  const act = one.block === undefined || one.view === undefined ? 2 : below(4);
  if (act === 1) {
    one.view = await transferAway(one.view.buffer);
    one.block.free();
  } else if (act > 1) held.splice(held.indexOf(one), 1)[0].block?.free();
  if (act < 2) one.block = undefined; // the view alone keeps it
}
await apart(async () => {
  const held = [];
  for (let round = 0; round < 1500; round += 1) {
    if (held.length < 20 || below(30) > held.length) held.push(allocate(1 + (round % 250)));
    else await step(held, held[below(held.length)]);
    if (round % 50 === 0) await (below(2) === 0 ? turn() : collect(2));
  }
  for (const { block } of held) block?.free();
});
await collectUntil(() => rowsOf('walk').length + statistics().escaped === 0, 'all memory came back');
finish();
