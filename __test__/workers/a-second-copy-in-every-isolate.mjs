// A second copy of the package, in a folder of its own: its classes are the first one's in main and in workers, whichever a worker loads first; one addon is loaded.
// expect: exit=0 code=none
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { print, same, startWorker } from './_workers.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const CLASSES = ['AdvancedMemoryAllocator', 'AllocatedMemory', 'DirectMemoryManager', 'MemoryBlock', 'MemoryPool', 'OffHeapError'];

function install() {
  const folder = mkdtempSync(join(tmpdir(), 'offheap-copy-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  mkdirSync(join(folder, 'native'));
  for (const name of readdirSync(join(root, 'native'))) cpSync(join(root, 'native', name), join(folder, 'native', name));
  return pathToFileURL(join(folder, 'dist', 'index.js')).href;
}

/** Loads two copies in an order, and uses the first one's memory through the second one. */
async function both(urls) {
  const [first, second] = [await import(urls[0]), await import(urls[1])];
  same(CLASSES.filter((name) => first[name] === second[name]).join(), CLASSES.join(), 'classes that both copies have');
  const block = first.DirectMemoryManager.allocateMemory(64).fill(7);
  same(block instanceof second.MemoryBlock && second.DirectMemoryManager.compareMemory(block, 0, Buffer.alloc(64, 7), 0, 64), 0, 'a block of the first in the second');
  second.DirectMemoryManager.freeMemory(block);
  const allocator = second.AdvancedMemoryAllocator.getInstance('copies', 'slab', 2 ** 20);
  same(allocator, first.AdvancedMemoryAllocator.getInstance('copies', 'slab', 2 ** 20), 'an allocator by its name');
  allocator.allocate(64).free();
  return second;
}

const addons = () => process.report.getReport().sharedObjects.filter((path) => /offheap[^/\\]*\.node$/.test(path)).length;

async function main() {
  const copy = install();
  const own = new URL('../../dist/index.js', import.meta.url).href;
  const { DirectMemoryManager } = await both([own, copy]);
  same(addons(), 1, 'addons of main');
  for (const urls of [[own, copy], [own, copy]]) {
    const { told, ended } = startWorker(new URL(import.meta.url), urls);
    same(await told, 'the same', 'what a worker found');
    same(await ended, 0, 'exit code of a worker');
  }
  same(addons(), 1, 'addons after the workers');
  const { activeBlocks, byAllocator } = DirectMemoryManager.getMemoryStats();
  same(`${activeBlocks} ${byAllocator[0].allocatedBlocks}`, '0 0', 'figures');
  print({ workers: 2 });
}

if (isMainThread) await main();
else {
  await both(workerData);
  parentPort.postMessage('the same', []);
}
