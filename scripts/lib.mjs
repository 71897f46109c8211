// What every script here shares: running commands, finding tools, comparing times, counting results.
// Only Node built-ins: these run on a fresh clone, before anything is installed.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export const root = fileURLToPath(new URL('..', import.meta.url));
export const inRoot = (...parts) => join(root, ...parts);
const onWindows = process.platform === 'win32';

/** Something the reader can act on: printed as one sentence, without a stack trace. */
export class Stop extends Error {}

/** True when the module at `url` is the program itself and not imported by another script. */
export function isEntry(url) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);
}

/** Runs a script's body: a false result or an error becomes exit code 1. */
export async function main(body) {
  try {
    if ((await body(process.argv.slice(2))) === false) process.exitCode = 1;
  } catch (error) {
    console.error(error instanceof Stop ? error.message : error);
    process.exitCode = 1;
  }
}

/** A command's arguments as `parseArgs` of node:util describes `options`; whatever else is given is answered with how it is used. */
export function optionsOf(args, options, usage) {
  try {
    return parseArgs({ args, options }).values;
  } catch {
    throw new Stop(usage);
  }
}

export const heading = (text) => console.log(`\n== ${text}`);
export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** The last line of everything that counts tests; the exit code follows from it. */
export function finish({ passed, failed }) {
  console.log(`\n${passed} passed, ${failed} failed`);
  return failed === 0;
}

/**
 * Runs a command and never rejects because it failed: look at `code`.
 * `output: 'inherit'` shows it as it comes; 'capture' keeps both streams; 'stdout' keeps stdout and shows stderr.
 * With `limitMs` it is stopped when it takes longer, with what it started.
 */
export function run(command, args, { cwd = root, env = {}, output = 'inherit', shell = false, limitMs } = {}) {
  const started = performance.now();
  const stdio = {
    inherit: 'inherit',
    capture: ['ignore', 'pipe', 'pipe'],
    stdout: ['ignore', 'pipe', 'inherit'],
  }[output];
  return new Promise((resolve, reject) => {
    const detached = limitMs !== undefined && !onWindows; // then its group can be stopped as one
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio, shell, detached });
    const stop = () => (detached ? process.kill(-child.pid, 'SIGKILL') : child.kill());
    const timer = limitMs === undefined ? undefined : setTimeout(stop, limitMs);
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.on('error', (error) => reject(new Stop(`Cannot start ${command}: ${error.message}`)));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? 1, signal, stdout, stderr, ms: performance.now() - started });
    });
  });
}

export const runNode = (args, options) => run(process.execPath, args, options);

/** npm through the copy that started us, else the one on PATH (a .cmd file on Windows needs a shell). */
export function runNpm(args, options) {
  const cli = process.env.npm_execpath;
  if (cli?.endsWith('.js')) return runNode([cli, ...args], options);
  return run('npm', args, { ...options, shell: onWindows });
}

/** The directory cargo stands in, or null: PATH first, then where rustup puts it. */
function cargoDirectory() {
  const home = process.env.CARGO_HOME ?? join(homedir(), '.cargo');
  const directories = [...(process.env.PATH ?? '').split(delimiter), join(home, 'bin')];
  return directories.find((directory) => directory && existsSync(join(directory, onWindows ? 'cargo.exe' : 'cargo'))) ?? null;
}

/** The environment in which `cargo` can be called by name, by us and by the napi CLI. */
export function cargoEnvironment(env = {}) {
  const directory = cargoDirectory();
  if (!directory) throw new Stop('The Rust toolchain (cargo) is missing: install it from https://rustup.rs and run this again.');
  return { ...env, PATH: `${process.env.PATH ?? ''}${delimiter}${directory}` };
}

export const runCargo = (args, { env, ...options } = {}) => run('cargo', args, { ...options, env: cargoEnvironment(env) });

/** RUSTFLAGS for the portable memory fallback, beside whatever flags the caller already has. */
export const portableFlags = () => ({ RUSTFLAGS: `${process.env.RUSTFLAGS ?? ''} --cfg offheap_portable`.trim() });

/** RUSTFLAGS with which the library is built for the models. */
export const loomFlags = () => ({ RUSTFLAGS: `${process.env.RUSTFLAGS ?? ''} --cfg loom`.trim() });

/** RUSTFLAGS for a sanitizer and its programs; a stable compiler takes `-Z` flags when it is told to. */
export const proofFlags = (flags) => ({ RUSTFLAGS: `${process.env.RUSTFLAGS ?? ''} ${flags}`.trim(), RUSTC_BOOTSTRAP: '1' });

/** Every file under the given paths (files or directories), as absolute paths, sorted. */
export function filesUnder(...paths) {
  const found = [];
  for (const path of paths) {
    const status = statSync(path, { throwIfNoEntry: false });
    if (status?.isFile()) found.push(path);
    if (status?.isDirectory()) found.push(...filesUnder(...readdirSync(path).map((name) => join(path, name))));
  }
  return found.toSorted();
}

const modified = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/** The newest modification time among files under `paths`; 0 when there are none. */
export const newest = (...paths) => filesUnder(...paths).reduce((latest, path) => Math.max(latest, modified(path)), 0);

/** True when `output` is missing or older than the newest of `sources`. */
export const isStale = (output, ...sources) => !existsSync(output) || modified(output) < newest(...sources);
