// 65,535 pins are counted; one more is refused and carries into nothing.
// expect: exit=0 code=ERR_OFFHEAP_IN_USE
// message: MemoryBlock … cannot be pinned once more: 65,535 pins or leases hold it. Dispose of the pins and await the leases and tasks first.
import { DirectMemoryManager as dmm, finish, refuses } from './_expect.mjs';

const block = dmm.allocateMemory(64);
const pins = Array.from({ length: 65_535 }, () => block.pin());
refuses('ERR_OFFHEAP_IN_USE', () => block.pin(), () => block.pin(), () => block.free());
while (pins.length > 0) {
  pins.pop()[Symbol.dispose]();
  if (pins.length === 1) refuses('ERR_OFFHEAP_IN_USE', () => block.free());
}
block.free();
finish();
