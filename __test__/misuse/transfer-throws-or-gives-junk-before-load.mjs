// Before load, ArrayBuffer.prototype.transfer throws, gives junk, gives the buffer itself, or somebody else's; plain or as a getter.
// expect: exit=0 code=ERR_OUT_OF_RANGE
// message: The value of "size" is out of range. It must be >= 1 && <= 9007199254740991. Received 0
import { fileURLToPath } from 'node:url';
import { Worker, isMainThread, workerData } from 'node:worker_threads';

const other = new ArrayBuffer(2 ** 20);
const kinds = [() => { throw new Error('no'); }, () => 'junk', () => null, function itself() { return this; }, () => other, () => new SharedArrayBuffer(8), () => new Uint8Array(8)];
if (isMainThread) {
  for (let kind = 0; kind < kinds.length * 3; kind += 2) {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: kind });
    const code = await new Promise((resolve) => { worker.once('exit', resolve).once('error', (error) => resolve(error.message)); });
    if (code !== 0) throw new Error(`kind ${kind}: ${code}`);
  }
} else {
  const fake = kinds[workerData % kinds.length];
  const way = Math.floor(workerData / kinds.length);
  const descriptors = [{ value: fake }, { get: () => fake }, { value: new Proxy(fake.bind(null), {}) }];
  Reflect.defineProperty(ArrayBuffer.prototype, 'transfer', { ...descriptors[way], configurable: true });
}
const { DirectMemoryManager: dmm, finish, pinBystanders, refuses, same } = await import('./_expect.mjs');
const unpin = pinBystanders();
same((await import('./_tour.mjs')).walk(), undefined, 'the tour');
unpin();
refuses('ERR_OUT_OF_RANGE', () => dmm.allocateMemory(0));
if (isMainThread) finish({ others: true });
