// What was viewed and freed counts as quarantined, byte for byte, within the limits of the queue; what was never viewed does not count.
// expect: exit=0 code=none
import { MIB, DirectMemoryManager as dmm, finish, check, same, statistics } from './_free.mjs';

const start = statistics().quarantined;
const held = () => statistics().quarantined - start;
const cycle = (size) => {
  const block = dmm.allocateMemory(size);
  block.bytes();
  same(held(), expected, 'while it lives');
  block.free();
};
let expected = 0;
for (const size of [64, 4096, 65_536, MIB]) {
  for (let index = 0; index < 5; index += 1) {
    cycle(size);
    expected += size;
    same(held(), expected, 'after the free');
    dmm.allocateMemory(size).free();
    same(held(), expected, 'after the free of a block that was never viewed');
  }
}
for (let index = 0; index < 300; index += 1) {
  const block = dmm.allocateMemory(MIB);
  block.bytes();
  block.free();
  check(held() <= 8 * MIB, `${held()} bytes are held back, 8 MiB at most`);
}
check(held() > 7 * MIB - 1, `${held()} bytes are held back`);
finish();
