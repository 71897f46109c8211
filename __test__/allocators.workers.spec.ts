// Allocators and workers: a name is the same region in every isolate of the process.
// - what one writes at an offset another reads there; figures and rows are of all of them
// - other parameters are a mismatch in a worker too; one that was closed elsewhere is closed here
// - a reset elsewhere kills handles here, and views at the next call; a pin elsewhere holds off reset and close
// - a worker that ends, in whichever way, gives its memory back; a region's buffer that it sent away keeps its bytes
import { once } from 'node:events';
import test from 'ava';
import { AdvancedMemoryAllocator, DirectMemoryManager as Manager } from '../index.js';
import type { AllocatedMemory, AllocatorStats } from '../index.js';
import { FREEING, MIB, TYPES, closeAfterEach, keep, refuses } from './_allocators.js';
import { Peer, endAfterEach, start } from './_peer.js';
import type { Given } from './_peer.js';

endAfterEach();
closeAfterEach();

const canEscape = 'transfer' in ArrayBuffer.prototype;

for (const type of TYPES) {
  test.serial(`${type}: a name is the same region in a worker`, async (t) => {
    const allocator = keep(AdvancedMemoryAllocator.getInstance('shared', type, MIB));
    const own = allocator.allocate(64).fill(1);
    const peer = await start('shared', type);
    const theirs = await peer.get<Given>('allocate', 64, 42);
    t.true(theirs.offset >= own.offset + 64 || own.offset >= theirs.offset + 64, 'no byte is granted twice');
    t.is(theirs.address - BigInt(theirs.offset), own.address - BigInt(own.offset));
    const region = new Uint8Array(own.bytes().buffer);
    t.is(region[theirs.offset + 63], 42, 'what the worker wrote');
    region[theirs.offset] = 43;
    t.is(await peer.get('read', theirs.index, 0), 43, 'what was written here');
    const { requestedSize, allocatedBlocks } = allocator.getStats();
    t.deepEqual([requestedSize, allocatedBlocks], [128, 2]);
    t.deepEqual(await peer.get<AllocatorStats>('stats'), { ...allocator.getStats(), fragmentationPercent: { ...allocator.getStats().fragmentationPercent } });
    if (type !== 'arena' && type !== 'ring') {
      t.is(Manager.getAllocatedBlocks().find(({ id }) => id === theirs.id)?.threadId, peer.worker.threadId);
      t.deepEqual(Manager.getAllocatedBlocks().map(({ label }) => label).toSorted(), ['of a worker', undefined]);
    }
    for (const other of [['shared', type, 2 * MIB], ['shared', type, MIB, 4096], ['shared', type === 'slab' ? 'buddy' : 'slab', MIB]]) {
      t.deepEqual(await peer.ask('open', ...other), { code: 'ERR_OFFHEAP_CONFIG_MISMATCH' });
    }
    await peer.get('free', theirs.index);
    t.is(allocator.getStats().allocatedBlocks, 1);
    await peer.worker.terminate();
    t.is(own.getUint8(0), 1);
  });

  test.serial(`${type}: a reset or a close here ends the memory of a worker, unless it is pinned`, async (t) => {
    const allocator = keep(AdvancedMemoryAllocator.getInstance('ended', type, MIB));
    const peer = await start('ended', type);
    const theirs = await peer.get<Given>('allocate', 64, 42);
    await peer.get('view', theirs.index);
    allocator.reset();
    t.false(await peer.get('valid', theirs.index));
    t.deepEqual(await peer.ask('read', theirs.index, 0), { code: 'ERR_OFFHEAP_USE_AFTER_FREE' });
    t.deepEqual(await peer.ask('free', theirs.index), { code: 'ERR_OFFHEAP_USE_AFTER_FREE' });
    const next = await peer.get<Given>('allocate', 64, 43);
    t.deepEqual(await peer.get('seen', 0), { length: 0, first: undefined }, 'its old views died at its next call');
    await peer.get('pin', next.index);
    refuses(t, () => allocator.reset(), 'ERR_OFFHEAP_IN_USE');
    refuses(t, () => allocator.close(), 'ERR_OFFHEAP_IN_USE');
    t.is(await peer.get('read', next.index, 63), 43);
    await peer.worker.terminate();
    t.notThrows(() => allocator.reset(), 'the pin ended with the worker');
    const second = await start('ended', type);
    const last = await second.get<Given>('allocate', 64, 44);
    allocator.close();
    for (const order of [['read', last.index, 0], ['free', last.index], ['allocate', 8, 1], ['stats'], ['reset']]) t.deepEqual(await second.ask(...order), { code: 'ERR_OFFHEAP_CLOSED' });
    t.deepEqual(await second.ask('close'), { result: undefined });
    await second.worker.terminate();
  });

  test.serial(`${type}: a reset or a close in a worker ends the memory here`, async (t) => {
    const allocator = keep(AdvancedMemoryAllocator.getInstance('ended there', type, MIB));
    const memory = allocator.allocate(64).fill(7);
    const view = memory.bytes();
    const peer = await start('ended there', type);
    await peer.get('reset');
    t.false(memory.isValid());
    refuses(t, () => memory.getUint8(0), 'ERR_OFFHEAP_USE_AFTER_FREE');
    refuses(t, () => memory.free(), 'ERR_OFFHEAP_USE_AFTER_FREE');
    const next = allocator.allocate(64).fill(8);
    t.is(view.length, 0);
    t.deepEqual([...next.bytes(0, 2)], [8, 8]);
    const last = next.bytes();
    await peer.get('close');
    refuses(t, () => next.getUint8(0), 'ERR_OFFHEAP_CLOSED');
    refuses(t, () => allocator.allocate(8), 'ERR_OFFHEAP_CLOSED');
    t.is(last.length, 0);
    t.notThrows(() => allocator.close());
    const again = keep(AdvancedMemoryAllocator.getInstance('ended there', type, 2 * MIB));
    t.not(again, allocator);
    t.is(again.allocate(8).fill(1).getUint8(7), 1);
    await peer.worker.terminate();
  });
}

for (const type of FREEING) {
  for (const way of ['terminate', 'exit'] as const) {
    test.serial(`${type}: a worker that ends (${way}) gives its memory back, pinned and viewed too`, async (t) => {
      const allocator = keep(AdvancedMemoryAllocator.getInstance('given back', type, MIB));
      const own: AllocatedMemory = allocator.allocate(64).fill(9);
      const peer = await start('given back', type);
      for (const size of [100, 200, 300]) await peer.get<Given>('allocate', size, 1);
      t.is(allocator.getStats().allocatedBlocks, 4);
      await peer.get('view', 0);
      await peer.get('pin', 1);
      const ended = once(peer.worker, 'exit');
      if (way === 'terminate') await peer.worker.terminate();
      else peer.worker.postMessage(['exit'], []);
      await ended;
      const { allocatedBlocks, requestedSize } = allocator.getStats();
      t.deepEqual([allocatedBlocks, requestedSize, own.getUint8(63)], [1, 64, 9]);
      own.free();
      t.is(allocator.getStats().allocatedSize, 0);
    });
  }
}

test.serial('a region whose buffer a worker sent away keeps its bytes when the worker closes it', async (t) => {
  const before = Manager.getMemoryStats().escaped;
  const allocator = keep(AdvancedMemoryAllocator.getInstance('sent away', 'slab', MIB));
  const peer = await start('sent away', 'slab');
  const theirs = await peer.get<Given>('allocate', 64, 42);
  await peer.get('view', theirs.index);
  const { buffer } = await peer.ask('send', theirs.index);
  const taken = new Uint8Array(buffer as ArrayBuffer);
  t.is(taken[theirs.offset], 42);
  await peer.get('close');
  refuses(t, () => allocator.allocate(8), 'ERR_OFFHEAP_CLOSED');
  if (canEscape) t.is(Manager.getMemoryStats().escaped, before + MIB);
  const other = keep(AdvancedMemoryAllocator.getInstance('next', 'slab', MIB));
  for (let count = 0; count < 60; count += 1) other.allocate(16_000).fill(0x33);
  t.is(taken[theirs.offset], 42);
  await peer.worker.terminate();
});

for (const end of ['stays', 'terminate', 'exit'] as const) {
  test.serial(`a region whose buffer a worker sent away (and then: ${end}) keeps its bytes when it is closed here`, async (t) => {
    const allocator = keep(AdvancedMemoryAllocator.getInstance('sent from there', 'slab', MIB));
    const peer = await start('sent from there', 'slab');
    const theirs = await peer.get<Given>('allocate', 64, 42);
    await peer.get('view', theirs.index);
    const { buffer } = await peer.ask('send', theirs.index);
    const taken = new Uint8Array(buffer as ArrayBuffer);
    const ended = once(peer.worker, 'exit');
    if (end === 'terminate') await peer.worker.terminate();
    if (end === 'exit') peer.worker.postMessage(['exit'], []);
    if (end !== 'stays') await ended;
    allocator.close();
    const next = keep(AdvancedMemoryAllocator.getInstance('next', 'slab', MIB));
    for (let count = 0; count < 60; count += 1) next.allocate(16_000).fill(0x33);
    t.is(taken[theirs.offset + 63], 42);
    await peer.worker.terminate();
  });
}

function baseOf(allocator: AdvancedMemoryAllocator): bigint {
  const { address, offset } = allocator.allocate(64);
  return address - BigInt(offset);
}

test.serial('a region that was closed here is used again when the worker that views it has left it', async (t) => {
  const { escaped } = Manager.getMemoryStats();
  for (const leave of ['close', 'exit']) {
    const total = 3 * MIB;
    const allocator = AdvancedMemoryAllocator.getInstance('left', 'ring', total);
    const first = baseOf(allocator);
    const peer = new Peer();
    await peer.next();
    await peer.get('open', 'left', 'ring', total);
    const theirs = await peer.get<Given>('allocate', 64, 42);
    await peer.get('view', theirs.index);
    allocator.close();
    const second = keep(AdvancedMemoryAllocator.getInstance(`second ${leave}`, 'ring', total));
    t.not(baseOf(second), first);
    t.like(await peer.get('seen', 0), { length: 64, first: 42 }, 'until then its views keep their bytes');
    const ended = once(peer.worker, 'exit');
    if (leave === 'close') {
      await peer.get('close');
      t.like(await peer.get('seen', 0), { length: 0 });
    }
    peer.worker.postMessage(['exit'], []);
    await ended;
    const third = AdvancedMemoryAllocator.getInstance(`third ${leave}`, 'ring', total);
    t.is(baseOf(third), first);
    third.close();
    second.close();
  }
  t.is(Manager.getMemoryStats().escaped, escaped);
});

for (const end of ['notices', 'exit', 'terminate'] as const) {
  test.serial(`a closed region counts as committed until the worker that views it ${end === 'notices' ? 'has noticed' : `has ended (${end})`}`, async (t) => {
    const total = 5 * MIB;
    const before = Manager.getMemoryStats();
    const allocator = AdvancedMemoryAllocator.getInstance(`counted, ${end}`, 'hybrid', total);
    t.is(Manager.getMemoryStats().committed, before.committed + total);
    const peer = new Peer();
    await peer.next();
    await peer.get('open', allocator.name, 'hybrid', total);
    await peer.get('view', (await peer.get<Given>('allocate', 64, 42)).index);
    const open = Manager.getMemoryStats().committed;
    allocator.close();
    Manager.setLimit(Manager.getMemoryStats().currentAllocated + total);
    keep(AdvancedMemoryAllocator.getInstance('within the limit', 'ring', total)).close();
    Manager.setLimit(null);
    t.is(Manager.getMemoryStats().committed, open, 'its pages are there');
    if (end === 'notices') t.deepEqual(await peer.ask('stats'), { code: 'ERR_OFFHEAP_CLOSED' });
    if (end === 'exit') await peer.exit();
    await peer.worker.terminate();
    const kept = end === 'terminate' ? total : 0; // somebody may have been sent its buffer
    const after = Manager.getMemoryStats();
    t.deepEqual([after.committed - open + total, after.escaped - before.escaped], [kept, kept]);
  });
}
