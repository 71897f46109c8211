// Allocators that are asked where the stack ends: a call throws and nothing is granted or freed, or it does what it says.
// expect: exit=0 code=ERR_OFFHEAP_DOUBLE_FREE
import { AdvancedMemoryAllocator, check, finish, refuses, same } from './_expect.mjs';
import { atTheEndOfTheStack } from './_stack.mjs';

for (const type of ['buddy', 'slab', 'arena', 'ring', 'pool', 'hybrid']) {
  const allocator = AdvancedMemoryAllocator.getInstance(type, type, 67_108_864, 16);
  const used = () => allocator.getStats().allocatedBlocks;
  const acts = [() => allocator.allocate(64), () => allocator.allocate(100, 'deep'), () => allocator.tryAllocate(8000), () => allocator.allocate(16_000)];
  for (const act of acts) {
    const granted = atTheEndOfTheStack(act).toReversed(); // a ring and an arena take back what came last
    check(granted.length > 60, `${type} granted ${granted.length}`);
    same(used(), granted.length, `grants of ${type} after ${act}`);
    atTheEndOfTheStack(() => granted.at(-1)?.isValid() && granted.at(-1).free());
    for (const memory of granted) if (memory.isValid()) memory.free();
    same(used(), 0, `grants of ${type} once they were freed`);
  }
  const memory = allocator.allocate(64);
  memory.free();
  refuses('ERR_OFFHEAP_DOUBLE_FREE', () => memory.free());
  allocator.close();
}
finish();
