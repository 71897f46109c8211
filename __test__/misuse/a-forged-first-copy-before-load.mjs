// Before load, the global key under which a first copy of the package leaves itself holds nonsense: loading works, use works or is refused.
// expect: exit=0 code=ERR_OFFHEAP_NOT_SUPPORTED
// message: offheap is not supported: another copy of the package is in use.
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, workerData } from 'node:worker_threads';

const key = Symbol.for('offheap.1');
const kinds = [5, 'x', null, {}, { DirectMemoryManager: {} }, Object.freeze([]), new Proxy({}, {})];
if (isMainThread) {
  for (let kind = 0; kind < kinds.length * 2; kind += 3) {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: kind });
    const code = await new Promise((resolve) => { worker.once('exit', resolve).once('error', (error) => resolve(error.message)); });
    if (code !== 0) throw new Error(`kind ${kind}: ${code}`);
  }
  Object.defineProperty(globalThis, key, { value: 5, writable: true, configurable: true });
} else Object.defineProperty(globalThis, key, { value: kinds[workerData >> 1], configurable: workerData % 2 === 0, writable: workerData % 2 === 0 });
const { DirectMemoryManager: dmm } = await import('../../dist/index.js');
const { check, print, refuses } = await import('./_refuses.mjs');
check(typeof dmm.unavailableReason === 'string' && !dmm.isAvailable(), 'it says that and why it is not available');
refuses('ERR_OFFHEAP_NOT_SUPPORTED', () => dmm.allocateMemory(8), () => dmm.getMemoryStats());
if (isMainThread) print({ stats: 'none' });
