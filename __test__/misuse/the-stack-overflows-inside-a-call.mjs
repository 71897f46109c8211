// Calls so deep that the stack overflows somewhere inside them: the engine's own error, and nothing is torn.
// expect: exit=0 code=ERR_OFFHEAP_USE_AFTER_FREE
// message: MemoryBlock … cannot be used any more: it was freed. Keep a handle only as long as its memory; isValid() tells.
import { DirectMemoryManager as dmm, check, finish, refuses, same } from './_expect.mjs';

const kept = dmm.allocateMemory(100, 'word', { label: 'deep' }).fill(7);
const acts = [
  () => dmm.allocateMemory(100, 'word', { label: 'deep' }).free(),
  () => { const block = dmm.allocateMemory(100, 'word', { label: 'deep' }); block.toArrayBuffer(); block.bytes(); block.free(); },
  () => dmm.reallocateMemory(dmm.allocateMemory(64, 'word', { label: 'deep' }), 3000).free(),
  () => { kept.setInt32(96, 0x07070707); kept.getFloat64(3); kept.bytes(); },
  () => { kept.pin()[Symbol.dispose](); dmm.getMemoryStats(); String(kept); },
  () => { try { kept.getInt8(100); } catch {} },
];
const go = (depth, act) => (depth === 0 ? act() : go(depth - 1, act) + 0);
const fits = (depth) => { try { go(depth, () => 0); return true; } catch { return false; } };
let deepest = 1000;
while (fits(deepest + 10)) deepest += 10;
for (let round = 0; round < 80; round += 1) {
  for (const act of acts) try { go(deepest - round, act); } catch (error) { check(error instanceof RangeError || error.code?.startsWith('ERR_'), String(error)); }
}
same(kept.copyOut().every((byte) => byte === 7), true, 'the bytes of a block that was there all the time');
kept[Symbol.dispose]();
refuses('ERR_OFFHEAP_USE_AFTER_FREE', () => kept.bytes());
finish({ others: 'deep' });
