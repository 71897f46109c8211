// A fresh process for what is measured once in a process: loading, and the peak of resident memory. Prints one line of JSON.
//   node _probe.mjs load <import|require> <package|nothing>     node _probe.mjs memory <ours|koffi|Buffer> <iterations>
import { createRequire } from 'node:module';
import { statSync } from 'node:fs';

const MIB = 1024 * 1024;
const [task, first, second] = process.argv.slice(2);
const print = (facts) => console.log(JSON.stringify(facts));

function expect(condition, what) {
  if (!condition) throw new Error(`wrong result: ${what}`);
}

/** The size of the native libraries that were loaded from node_modules or the package itself. */
function addonBytes() {
  process.report.excludeNetwork = true; // asking DNS for names takes seconds
  const { sharedObjects } = process.report.getReport();
  return sharedObjects.filter((path) => path.endsWith('.node')).reduce((sum, path) => sum + statSync(path).size, 0);
}

async function load() {
  const require = createRequire(import.meta.url);
  const started = performance.now();
  const loaded = second === 'nothing' ? undefined : first === 'require' ? require(second) : await import(second);
  const ms = performance.now() - started;
  const rssMiB = process.memoryUsage.rss() / MIB; // all of the process: what it would have without the package is another process's
  if (second === 'offheap') {
    const block = loaded.DirectMemoryManager.allocateMemory(8);
    block.setInt32(0, 42);
    expect(block.getInt32(0) === 42, 'what the loaded package stores');
  } else if (second !== 'nothing') {
    expect(typeof (loaded.load ?? loaded.default?.load) === 'function', 'what koffi exports');
  }
  print({ ms, rssMiB, addonKB: addonBytes() / 1000 });
}

const SIZE = 64 * 1024;

async function oursStep() {
  const { DirectMemoryManager } = await import('offheap');
  return (i) => {
    const block = DirectMemoryManager.allocateMemory(SIZE);
    const view = block.bytes();
    view[0] = i;
    const sum = view[0] + view.length;
    DirectMemoryManager.freeMemory(block);
    return sum + view.length; // 0 by then
  };
}

async function koffiStep() {
  const { libc } = await import('./_peers.mjs');
  const { malloc, free, view } = libc();
  return (i) => {
    const pointer = malloc(SIZE);
    const bytes = view(pointer, SIZE);
    bytes[0] = i;
    const sum = bytes[0] + bytes.length;
    free(pointer);
    return sum;
  };
}

async function bufferStep() {
  const { Buffer } = await import('node:buffer');
  return (i) => {
    const bytes = Buffer.allocUnsafeSlow(SIZE);
    bytes[0] = i;
    return bytes[0] + bytes.length;
  };
}

async function memory() {
  const step = await { ours: oursStep, koffi: koffiStep, Buffer: bufferStep }[first]();
  const count = Number(second);
  for (let i = 0; i < 3; i += 1) expect(step(i) === i + SIZE, 'length and store of a view, and its length after the free');
  await new Promise((resolve) => { setImmediate(resolve); });
  const rssBefore = process.memoryUsage.rss();
  const started = performance.now();
  let wrong = 0;
  for (let i = 0; i < count; i += 1) wrong += step(i & 255) === (i & 255) + SIZE ? 0 : 1;
  const ns = ((performance.now() - started) * 1e6) / count;
  expect(wrong === 0, `${wrong} of ${count} views`);
  print({ peakMiB: Math.max(0, process.resourceUsage().maxRSS * 1024 - rssBefore) / MIB, ns });
}

await (task === 'load' ? load() : memory());
