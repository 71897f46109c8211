// What the soak's main thread and its workers share: chance, stamps, and a holder of memory that looks after its bytes.
import { AdvancedMemoryAllocator, DirectMemoryManager as dmm, MemoryBlock } from '../../../dist/index.js';

export const MIB = 2 ** 20;
export const KINDS = ['buddy', 'slab', 'ring', 'pool', 'hybrid', 'arena'];
/** Main ends these at any moment, and opens them again. */
export const stormy = (kind) => AdvancedMemoryAllocator.getInstance(`stormy ${kind}`, kind, 2 * MIB);
/** Nobody ends these; an arena would only fill. */
export const calm = () => KINDS.slice(0, 5).map((kind) => AdvancedMemoryAllocator.getInstance(`calm ${kind}`, kind, 4 * MIB));
/** What an end elsewhere may answer. */
const ENDED = new Set(['ERR_OFFHEAP_USE_AFTER_FREE', 'ERR_OFFHEAP_CLOSED']);
const FULL = 'ERR_OFFHEAP_REGION_FULL';

/** A seeded source of integers in [0, below). */
export function chance(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Mostly small, some of a few pages, few that are runs of pages. */
export function anySize(pick, largest = 200_000) {
  const kind = pick(40);
  if (kind < 26) return 9 + pick(300);
  return 9 + pick(kind < 39 ? 6000 : largest);
}

/** Bytes that only this thread writes, and only once. */
export function stampOf(number, counter, size) {
  const pattern = Buffer.alloc(8);
  pattern.writeUInt32LE(number, 0);
  pattern.writeUInt32LE(counter, 4);
  return Buffer.alloc(size, pattern);
}

/** All that one thread holds, stamped; nothing is freed before its stamp was seen again. */
export class Owner {
  #counter = 0;
  /** Stamped and held: `{ memory, counter, owner }`. */
  held = [];

  constructor(number, pick) {
    this.number = number;
    this.pick = pick;
  }

  enter(memory, isStormy = false) {
    this.#counter += 1;
    const counter = this.#counter;
    if (!this.#write(memory, stampOf(this.number, counter, memory.size), isStormy)) return;
    this.held.push({ memory, counter, owner: this.number, isStormy });
  }

  /** Through an operation or through a view; false when it ended meanwhile. */
  #write(memory, bytes, isStormy) {
    return tried(isStormy, () => {
      if (isStormy || this.pick(3) > 0) dmm.copyMemory(bytes, 0, memory, 0, bytes.length);
      else memory.bytes().set(bytes);
    });
  }

  verify({ memory, counter, owner, isStormy }) {
    tried(isStormy, () => {
      const found = memory.copyOut();
      if (found.equals(stampOf(owner, counter, memory.size))) return;
      if (isStormy && !memory.isValid()) return; // it ended while it was looked at
      throw new Error(`wrong bytes in ${memory} of ${owner}, its number ${counter}: ${found.subarray(0, 32).toString('hex')}`);
    });
  }

  free(each) {
    this.verify(each);
    tried(each.isStormy, () => each.memory.free());
  }

  freeAll() {
    for (const each of this.held.splice(0)) this.free(each);
  }

  takeAny() {
    return this.held.splice(this.pick(this.held.length), 1)[0];
  }

  allocateBlock() {
    const size = anySize(this.pick);
    const zeroed = this.pick(4) === 0;
    const block = dmm.allocateMemory(size, this.pick(8) === 0 ? 'page' : 'word', this.pick(8) === 0 ? { zeroed, label: 'soak' } : { zeroed });
    if (zeroed && block.copyOut().some((byte) => byte !== 0)) throw new Error(`${block} is not zeroed`);
    this.enter(block);
  }

  allocateIn(allocator, isStormy) {
    tried(isStormy, () => {
      const memory = allocator.tryAllocate(anySize(this.pick, allocator.type === 'slab' ? 16_384 : 30_000) - 8);
      if (memory !== null) this.enter(memory, isStormy);
    });
  }

  reallocate() {
    const index = this.held.findIndex(({ memory, isPinned }) => memory instanceof MemoryBlock && !isPinned && memory.pool === undefined);
    if (index < 0 || this.held[index].isPooled) return;
    const [each] = this.held.splice(index, 1);
    this.verify(each);
    const size = anySize(this.pick);
    const block = dmm.reallocateMemory(each.memory, size);
    const kept = Math.min(size, each.memory.size);
    if (!block.copyOut(0, kept).equals(stampOf(each.owner, each.counter, kept))) throw new Error(`${block} lost its bytes as it moved`);
    this.enter(block);
  }

  async lease() {
    const each = this.held.pop();
    if (each === undefined) return;
    try {
      await each.memory.lease(async (bytes) => {
        const { length } = bytes;
        await new Promise((resolve) => setImmediate(resolve));
        if (bytes.length !== length) throw new Error('a lease lost its bytes');
      });
    } catch (error) {
      if (!each.isStormy || !ENDED.has(error.code)) throw error;
    }
    this.free(each);
  }

  /** One more than main said is over is enough to notice that. */
  async wait() {
    const block = dmm.allocateMemory(64, 'word', { zeroed: true });
    const waiting = block.waitAsync(8, 0, 50 + this.pick(50));
    if (this.pick(2) === 0) block.notify(8);
    const how = await waiting;
    if (how !== 'ok' && how !== 'timed-out') throw new Error(`a wait ended with ${how}`);
    block.free();
  }
}

/** What another thread may end meanwhile is no error; whether it went well. */
export function tried(isStormy, act) {
  try {
    act();
    return true;
  } catch (error) {
    if (error.code === FULL || (isStormy && ENDED.has(error.code))) return false;
    throw error;
  }
}
