// `npm run demo`: brings the checkout to where the library loads, then runs examples/demo.
// `-- --json`: stdout carries the report alone; everything else goes to stderr.
import { spawn } from 'node:child_process';
import { ensure } from './ensure.mjs';
import { Stop, inRoot, main } from './lib.mjs';

/** `ensure()` in a process of its own whose stdout is our stderr. False when it failed, and has said why. */
const ensured = () =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [inRoot('scripts', 'ensure.mjs')], { stdio: ['ignore', 2, 2] });
    child.on('error', reject);
    child.on('close', (code) => resolve(code === 0));
  });

await main(async (args) => {
  if (args.some((arg) => arg !== '--json')) throw new Stop('Usage: npm run demo [-- --json]');
  const json = args.includes('--json');
  if (!json) await ensure();
  else if (!(await ensured())) return false;
  const { DirectMemoryManager } = await import('offheap');
  if (!DirectMemoryManager.isAvailable()) throw new Stop(`offheap does not load here: ${DirectMemoryManager.unavailableReason}`);
  const { demo } = await import('../examples/demo/main.mjs');
  return (await demo({ json })).ok;
});
