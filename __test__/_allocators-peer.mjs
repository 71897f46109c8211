// A worker that does with allocators what it is told, and tells what came of it. It takes the package as users do.
import { parentPort, threadId } from 'node:worker_threads';
import { AdvancedMemoryAllocator, DirectMemoryManager } from '../dist/index.js';

const held = [];
const views = [];
let allocator;

const acts = {
  open: (...args) => {
    allocator = AdvancedMemoryAllocator.getInstance(...args);
    return allocator.totalSize;
  },
  allocate: (size, value) => {
    const memory = allocator.allocate(size, 'of a worker').fill(value);
    held.push(memory);
    return { index: held.length - 1, offset: memory.offset, address: memory.address, id: memory.id };
  },
  fits: (size) => {
    const memory = allocator.tryAllocate(size);
    memory?.free();
    return memory !== null;
  },
  read: (index, at) => held[index].getUint8(at),
  valid: (index) => held[index].isValid(),
  view: (index) => views.push(held[index].bytes()),
  seen: (index) => ({ length: views[index].length, first: views[index][0] }),
  free: (index) => held[index].free(),
  pin: (index) => void held[index].pin(),
  mark: () => void allocator.mark(),
  stats: () => ({ ...allocator.getStats() }),
  reset: () => allocator.reset(),
  close: () => allocator.close(),
  rows: () => DirectMemoryManager.getAllocatedBlocks().map(({ id, threadId: thread }) => ({ id, thread })),
  exit: () => process.exit(0),
};

/** Answers once; the buffer of a view that is sent goes away. */
function answer(name, args) {
  if (name === 'send') return parentPort.postMessage({ buffer: views[args[0]].buffer }, [views[args[0]].buffer]);
  try {
    return parentPort.postMessage({ result: acts[name](...args) }, []);
  } catch (error) {
    return parentPort.postMessage({ code: error.code ?? String(error) }, []);
  }
}

parentPort.on('message', ([name, ...args]) => answer(name, args));
parentPort.postMessage({ result: threadId }, []);
