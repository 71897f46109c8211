// A handle that was never viewed is dropped: nobody notices. The block stays in the leak report until freeAllMemory.
// expect: exit=0 code=none
// node: --expose-gc
import { DirectMemoryManager as dmm, SIZES, apart, collect, finish, pinBystanders, rowsOf, same, statistics } from './_free.mjs';

const unpin = pinBystanders();
await apart(() => {
  for (const size of SIZES) dmm.allocateMemory(size, 'word', { label: 'forgotten' }).fill(7).getUint8(0);
});
const { collected } = statistics();
await collect(12);
same(statistics().collected, collected, 'blocks collected');
const leaks = dmm.findPotentialLeaks(0).filter(({ label }) => label === 'forgotten');
same(leaks.map(({ size }) => size).toSorted((a, b) => a - b).join(), SIZES.join(), 'leak rows');
same(dmm.freeAllMemory(), SIZES.length, 'blocks freed by freeAllMemory');
same(rowsOf('forgotten').length, 0, 'rows');
unpin();
finish();
