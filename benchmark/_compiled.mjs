// The benchmark's own addons, compiled once with `cc`: an empty function, and loops in C. Where there is no C compiler they are missing.
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { createRequire } from 'node:module';
import { inRoot, isStale, run } from '../scripts/lib.mjs';

const require = createRequire(import.meta.url);
const NAMES = ['noop', 'cloops'];
const sourceOf = (name) => inRoot('benchmark', `_${name}.c`);
const HEADER = inRoot('benchmark', '_napi.h');
const addonOf = (name) => inRoot('.cache', 'bench', `${name}-${process.platform}-${process.arch}.node`);

async function compile(name) {
  const addon = addonOf(name);
  if (!isStale(addon, sourceOf(name), HEADER)) return;
  mkdirSync(inRoot('.cache', 'bench'), { recursive: true });
  const staging = `${addon}.${process.pid}`;
  const link = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : [];
  try {
    const { code } = await run('cc', ['-O2', '-shared', '-fPIC', ...link, '-o', staging, sourceOf(name)], { output: 'capture' });
    if (code === 0) renameSync(staging, addon);
  } catch {
    // no `cc`: what is missing is told where it is asked for
  }
}

/** Compiles what is missing or older than its source. */
export async function compileAll() {
  for (const name of NAMES) await compile(name);
}

/** What an addon exports; undefined where it could not be compiled. */
export const compiled = (name) => (existsSync(addonOf(name)) ? require(addonOf(name)) : undefined);
