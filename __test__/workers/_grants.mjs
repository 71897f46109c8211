// Grants of an allocator with an owner's stamp over all their bytes: memory that was given twice is found before it is freed.
import { DirectMemoryManager } from '../../dist/index.js';
import { fail, same, stampOf } from './_workers.mjs';

export class Grants {
  held = [];
  counter = 0;
  full = 0;

  constructor(allocator, number, pick) {
    this.allocator = allocator;
    this.number = number;
    this.pick = pick;
  }

  /** No room is an error or null, as it is asked. */
  #ask(size) {
    if (this.counter % 2 === 0) return this.allocator.tryAllocate(size);
    try {
      return this.allocator.allocate(size, this.counter % 3 === 0 ? 'labelled' : undefined);
    } catch (error) {
      if (error.code !== 'ERR_OFFHEAP_REGION_FULL') throw error;
      return null;
    }
  }

  /** False when there is no room. */
  take(size) {
    this.counter += 1;
    const memory = this.#ask(size);
    if (memory === null) {
      this.full += 1;
      return false;
    }
    const counter = this.counter;
    const bytes = stampOf(this.number, counter, size);
    if (counter % 4 === 0) memory.bytes().set(bytes);
    else DirectMemoryManager.copyMemory(bytes, 0, memory, 0, size);
    this.held.push({ memory, counter });
    return true;
  }

  /** Every byte of a grant, read natively or through a view. */
  verify({ memory, counter }) {
    const bytes = counter % 5 === 0 ? memory.bytes() : memory.copyOut();
    const stamp = stampOf(this.number, counter, memory.size);
    if (stamp.equals(bytes)) return;
    const at = stamp.findIndex((byte, index) => byte !== bytes[index]);
    const other = Buffer.from(bytes.subarray(at & ~7, (at & ~7) + 8)).toString('hex');
    fail(`given twice: grant ${counter} of isolate ${this.number}, ${memory.size} bytes at ${memory.offset}, has ${other} at ${at}`);
  }

  verifyAll() {
    for (const each of this.held) this.verify(each);
  }

  give(index) {
    const [each] = this.held.splice(index, 1, ...(index === this.held.length - 1 ? [] : [this.held.pop()]));
    this.verify(each);
    each.memory.free();
  }

  giveAll() {
    while (this.held.length > 0) this.give(this.held.length - 1);
  }

  /** One step of a random life with about `most` grants; without room every third goes. */
  step(size, most) {
    const { held, pick } = this;
    if (held.length > 0 && pick(most) < held.length) return this.give(pick(held.length));
    if (!this.take(size)) for (let count = held.length / 3; count >= 1; count -= 1) this.give(pick(held.length));
    return undefined;
  }
}

/** Fails unless no allocator is open and no memory is left beyond what there was at the start, by the statistics of then. */
export function nothingIsLeft({ committed, escaped }) {
  const end = DirectMemoryManager.getMemoryStats();
  same(end.byAllocator.length, 0, 'open allocators');
  same(end.committed, committed, 'committed');
  same(end.escaped, escaped, 'escaped');
  same(DirectMemoryManager.getAllocatedBlocks().length, 0, 'rows');
}
