// `npm run demo`: brings the checkout to where the library loads, then runs examples/demo.
// `-- --json`: stdout carries the report alone; everything else goes to stderr.
import { spawn } from 'node:child_process';
import { ensure } from './ensure.mjs';
import { Stop, inRoot, main } from './lib.mjs';

/** The same as `ensure()`, in a process of its own whose stdout is our stderr. */
const ensureQuietly = () =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [inRoot('scripts', 'ensure.mjs')], { stdio: ['ignore', 2, 2] });
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Stop('The demo did not run: the message above says why.'))));
  });

await main(async (args) => {
  if (args.some((arg) => arg !== '--json')) throw new Stop('Usage: npm run demo [-- --json]');
  const json = args.includes('--json');
  await (json ? ensureQuietly() : ensure());
  const { DirectMemoryManager } = await import('offheap');
  if (!DirectMemoryManager.isAvailable()) throw new Stop(`offheap does not load here: ${DirectMemoryManager.unavailableReason}`);
  const { demo } = await import('../examples/demo/main.mjs');
  await demo({ json });
});
