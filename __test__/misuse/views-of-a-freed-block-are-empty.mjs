// Every kind of view of a freed block, used in every way: nothing is read, nothing is written, the engine's own errors at worst.
// expect: exit=0 code=none
import { writeSync } from 'node:fs';
import { DirectMemoryManager as dmm, check, finish, same } from './_expect.mjs';

const block = dmm.allocateMemory(100).fill(65);
const buffer = dmm.createDirectByteBuffer(block, 8, 40);
const views = [block.bytes(), buffer, block.view(Float64Array, 8), block.view(Int16Array), buffer.subarray(2), block.bytes(4, 4), new Uint8Array(block.toArrayBuffer())];
const data = block.view(DataView);
block.free();
const live = Array.from({ length: 100 }, () => dmm.allocateMemory(100).fill(66));
for (const view of views) {
  same(`${view.length} ${view.byteLength} ${view[0]} ${view.buffer.byteLength}`, '0 0 undefined 0', 'an empty view');
  for (const act of [() => { view[0] = 1; }, () => view.fill(1), () => view.set([1]), () => view.subarray(0, 8).fill(1), () => Atomics.store(view, 0, 1), () => structuredClone(view)]) {
    try {
      act();
    } catch {} // TypeError or RangeError of the engine
  }
}
for (const act of [() => data.getInt8(0), () => data.setInt8(0, 1), () => data.byteLength]) try { check(act() === undefined, 'read'); } catch {}
same(`${buffer.toString()}${buffer.write('x')}${writeSync(1, buffer)}`, '00', 'what a Buffer does');
check(live.every((each) => each.getUint8(0) === 66 && each.getUint8(99) === 66), 'the next owners are untouched');
finish({ live });
