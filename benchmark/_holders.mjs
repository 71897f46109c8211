// Who can hold much memory at a time: ours, and peers. For processes that measure what stays resident.
import { stamp } from './_checks.mjs';
import { LIVE } from './_resident-rules.mjs';

/** Four fields, as our handles have: no more memory than that, and all of it on the heap. */
export class Plain {
  #first;
  #second;
  #third;
  #fourth;
  constructor(number) {
    this.#first = number;
    this.#second = 2 * number;
    this.#third = LIVE.size;
    this.#fourth = undefined;
  }
  get sum() {
    return this.#first + this.#second + this.#third + (this.#fourth ?? 0);
  }
}

async function ours(size) {
  const { DirectMemoryManager } = await import('offheap');
  return {
    ...native(size),
    make: (index) => DirectMemoryManager.allocateMemory(size).fill(stamp(index)),
    trim: () => DirectMemoryManager.trim(),
  };
}

async function slab(size) {
  const { AdvancedMemoryAllocator } = await import('offheap');
  const allocator = AdvancedMemoryAllocator.getInstance('resident', 'slab', size * (LIVE.count + 1000));
  return { ...native(size), make: (index) => allocator.allocate(size).fill(stamp(index)), trim: () => allocator.trim() };
}

/** Of both kinds of memory. Nothing makes a view: what was viewed has more records. */
const native = (size) => ({
  free: (memory) => memory.free(),
  address: (memory) => Number(memory.address),
  holds: (memory, index) => [0, size >> 1, size - 1].every((offset) => memory.getUint8(offset) === stamp(index)),
});

async function koffi(size) {
  const { libc } = await import('./_peers.mjs');
  const { malloc, free, view, address, memset, mallocTrim } = libc();
  return {
    make: (index) => {
      const pointer = malloc(size);
      memset(pointer, stamp(index), size);
      return pointer;
    },
    free,
    trim: () => {
      if (mallocTrim === undefined) throw new Error('this C library has no malloc_trim');
      mallocTrim(0);
    },
    address: (pointer) => Number(address(pointer)),
    holds: (pointer, index) => view(pointer, size).every((byte) => byte === stamp(index)),
  };
}

/** What the garbage collector frees: nothing but letting go is to be done. */
const collected = {
  isCollected: true,
  free: () => undefined,
  trim: () => undefined,
  address: () => NaN,
};

async function buffers(size) {
  const { Buffer } = await import('node:buffer');
  return {
    ...collected,
    make: (index) => Buffer.allocUnsafeSlow(size).fill(stamp(index)),
    holds: (bytes, index) => bytes.every((byte) => byte === stamp(index)),
  };
}

function arrayBuffers(size) {
  return {
    ...collected,
    make: (index) => {
      const buffer = new ArrayBuffer(size);
      new Uint8Array(buffer).fill(stamp(index));
      return buffer;
    },
    holds: (buffer, index) => new Uint8Array(buffer).every((byte) => byte === stamp(index)),
  };
}

/** Nothing outside the heap: what the measure itself makes of so many objects. */
const plain = () => ({ ...collected, make: (index) => new Plain(index), holds: (object, index) => object.sum === 3 * index + LIVE.size });

/** Each: `make(index)` gives memory that is written all over, `free` ends it, `trim` gives back what it can, `holds(memory, index)` reads it. */
export const HOLDERS = { ours, slab, koffi, Buffer: buffers, ArrayBuffer: arrayBuffers, plain };
