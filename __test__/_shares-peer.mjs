// A worker that does with blocks what it is told, one order at a time; a refusal comes back as its code.
import { parentPort, threadId } from 'node:worker_threads';
import { DirectMemoryManager, MemoryBlock } from '../dist/index.js';

const blocks = [];
const views = [];
const keep = (block) => blocks.push(block) - 1;

const ORDERS = {
  attach: (token) => {
    const block = MemoryBlock.attach(token);
    return { index: keep(block), id: block.id, address: block.address, size: block.size, label: block.label, threadId };
  },
  allocate: (size) => keep(DirectMemoryManager.allocateMemory(size)),
  share: (index) => blocks[index].share(),
  read: (index, offset) => blocks[index].getUint8(offset),
  write: (index, offset, value) => blocks[index].setUint8(offset, value),
  view: (index) => views.push(blocks[index].bytes()) - 1,
  poke: (view, offset, value) => (views[view][offset] = value),
  length: (view) => views[view].length,
  add: (index, offset, value) => blocks[index].atomicAdd('i32', offset, value),
  many: (index, count) => {
    for (let turn = 0; turn < count; turn += 1) blocks[index].atomicAdd('i64', 8, 1n);
  },
  notify: (index, offset) => blocks[index].notify(offset),
  wait: (index, offset, expected, timeoutMs) => blocks[index].waitAsync(offset, expected, timeoutMs),
  free: (index) => blocks[index].free(),
  freeAll: () => DirectMemoryManager.freeAllMemory(),
  scribble: (index, turns) => {
    const bytes = blocks[index].bytes();
    for (let turn = 0; turn < turns; turn += 1) bytes.fill(turn & 1 ? 0xc3 : 0xe2); // lead bytes of UTF-8 sequences of other lengths
  },
  exit: (code) => process.exit(code),
  end: () => parentPort.close(),
};

parentPort.on('message', async ([name, ...values]) => {
  try {
    parentPort.postMessage({ result: await ORDERS[name](...values) }, []);
  } catch (error) {
    parentPort.postMessage({ code: error.code ?? String(error) }, []);
  }
});
