// The memories that operations run over. Two ranges of a row that start at a page serve all of its cases in turn: which pages of the
// machine a range happens to get moves figures of large sizes more than what is compared does.
import { Buffer } from 'node:buffer';
import { DirectMemoryManager } from 'offheap';
import { KIB } from './_scenarios.mjs';

/** From this size on peers share the row's memories; below it they have their own, as Buffer makes them: up to 64 B on the JavaScript heap. */
const SHARED_MIN = 4 * KIB;

/** Two blocks of a size, made for the first who takes them, freed when the last gives them back. */
class Shared {
  #size;
  #users = 0;
  #blocks;

  constructor(size) {
    this.#size = size;
  }

  take() {
    if (this.#users === 0) this.#blocks = [0, 1].map(() => DirectMemoryManager.allocateMemory(this.#size, 'page'));
    this.#users += 1;
    const [a, b] = this.#blocks;
    const dispose = () => {
      this.#users -= 1;
      if (this.#users === 0) for (const block of [a, b]) block.free();
    };
    return { a, b, bytes: [a, b].map((block) => DirectMemoryManager.createDirectByteBuffer(block)), dispose };
  }
}

/** What a row's cases are made over: `blocks()` for ours, `buffers()` for peers, `pages()` for the loops in C. */
export function memoriesOf(size) {
  const shared = new Shared(size);
  const pages = () => {
    const { bytes: [a, b], dispose } = shared.take();
    return { a, b, dispose };
  };
  const own = () => ({ a: Buffer.allocUnsafeSlow(size), b: Buffer.allocUnsafeSlow(size), dispose: () => undefined });
  return { size, blocks: () => shared.take(), pages, buffers: () => (size >= SHARED_MIN ? pages() : own()) };
}
