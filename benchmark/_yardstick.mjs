// The empty native call of this machine, and how targets follow from it: they were written where it takes 8 ns.
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { inRoot, newest, run } from '../scripts/lib.mjs';

const require = createRequire(import.meta.url);
const source = inRoot('benchmark', '_noop.c');
const home = inRoot('.cache', 'bench');
const addon = inRoot('.cache', 'bench', `noop-${process.platform}-${process.arch}.node`);

/** ns of an empty call on the machine that the targets were written for; the second one is of our own emptiest function there. */
const WRITTEN_NS = 8;
const WRITTEN_OURS_NS = 17;

/** Compiles the empty addon, once. False where there is no C compiler. */
export async function buildYardstick() {
  if (newest(addon) >= newest(source)) return true;
  mkdirSync(home, { recursive: true });
  const staging = `${addon}.${process.pid}`;
  const link = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : [];
  try {
    const { code } = await run('cc', ['-O2', '-shared', '-fPIC', ...link, '-o', staging, source], { output: 'capture' });
    if (code === 0) renameSync(staging, addon);
    return code === 0;
  } catch {
    return false;
  }
}

/** The function that is called: an empty one, else the emptiest of ours. */
export function emptyCall() {
  if (existsSync(addon)) return { call: require(addon), written: WRITTEN_NS, what: 'an empty Node-API function' };
  const { abortReallocation } = require('#native');
  return { call: abortReallocation, written: WRITTEN_OURS_NS, what: 'abortReallocation(), the emptiest function of ours: no C compiler' };
}

/** ns per empty call: the least of many short samples, so that it is steady within seconds of a busy machine. */
export function measureEmptyCall(ms = 40) {
  const { call, written, what } = emptyCall();
  const n = 20_000;
  const loop = () => {
    for (let i = 0; i < n; i += 1) call();
  };
  let ns = Infinity;
  const end = performance.now() + ms;
  do {
    const started = process.hrtime.bigint();
    loop();
    ns = Math.min(ns, Number(process.hrtime.bigint() - started) / n);
  } while (performance.now() < end);
  return { ns, written, what };
}
