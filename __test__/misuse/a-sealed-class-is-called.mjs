// Blocks and memory come from their makers alone: the classes are there to ask, not to make.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "new.target" property must be an instance of a call of DirectMemoryManager.allocateMemory(). Received type number (1)
import { AllocatedMemory } from '../../dist/index.js';
import { AdvancedMemoryAllocator, DirectMemoryManager as dmm, MemoryBlock, fail, finish, refuses } from './_expect.mjs';

const block = dmm.allocateMemory(64);
const allocator = AdvancedMemoryAllocator.getInstance('sealed', 'arena', 65_536);
for (const [face, made, name] of [[MemoryBlock, block, 'MemoryBlock'], [AllocatedMemory, allocator.allocate(64), 'AllocatedMemory']]) {
  class Heir extends face {}
  const ways = [() => new face(1, 1, 64), () => face(1, 1, 64), () => new Heir(1, 1, 64), () => Reflect.construct(face, [1, 1, 64], Object)];
  ways.push(() => new made.constructor(1, 1, 64), () => Reflect.construct(Object.getPrototypeOf(made).constructor, [], Heir));
  for (const way of ways) refuses('ERR_INVALID_ARG_TYPE', way);
  if (!(made instanceof face) || made.constructor !== face || face.name !== name || face.prototype !== Object.getPrototypeOf(made)) fail(name);
  if (Reflect.set(face, 'prototype', {}) || Object.keys(made).length > 0) fail(`${name} shows what it should not`);
}
for (const type of ['buddy', 'slab', 'arena', 'ring', 'pool', 'hybrid']) {
  const each = AdvancedMemoryAllocator.getInstance(`sealed ${type}`, type, 65_536);
  if (each.constructor !== AdvancedMemoryAllocator || each.constructor.name !== 'AdvancedMemoryAllocator' || !(each instanceof AdvancedMemoryAllocator)) fail(`${type} is an allocator`);
  refuses('ERR_INVALID_ARG_TYPE', () => new each.constructor());
  each.close();
}
allocator.close();
block.free();
finish();
