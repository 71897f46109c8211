// The peers of the benchmark that are compiled where they are installed: a manifest of their own, so that `npm ci` of the tree neither
// fails nor waits for them. `npm run bench` installs them when they are missing; one that cannot be installed is told by its rows.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { inRoot, runNpm } from './lib.mjs';

/** Longer than the slowest compiler needs; a registry that does not answer must not hold the benchmark up. */
const INSTALL_MS_MAX = 180_000;

export const peersHome = inRoot('benchmark', 'peers');

const readJson = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'));
const told = (home) => join(home, 'node_modules', '.told.json');

/** What an installation is made for: these packages, and the Node and the system that they were compiled for. */
function purposeOf(home) {
  const { platform, arch, versions } = process;
  return createHash('sha256').update(readFileSync(join(home, 'package-lock.json'))).update(`${platform} ${arch} ${versions.modules}`).digest('hex');
}

/** What is known of an installation: what it was made for, and the reason of each package that could not be made, by name. */
export function toldOf(home = peersHome) {
  return existsSync(told(home)) ? readJson(told(home)) : { purpose: null, reasons: {} };
}

/** npm for the Node that runs this, with its headers where a distribution of Node lays them; elsewhere node-gyp looks for them itself. */
function npm(home, ...args) {
  const prefix = dirname(dirname(process.execPath));
  const env = { PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}` };
  if (existsSync(join(prefix, 'include', 'node', 'node.h'))) env.npm_config_nodedir = prefix;
  const options = ['--no-audit', '--no-fund', '--fetch-retries=1', '--fetch-retry-mintimeout=1000', '--fetch-timeout=20000', '--prefix', home];
  return runNpm([...args, ...options], { cwd: home, env, output: 'capture', limitMs: INSTALL_MS_MAX });
}

/** Notes what became of an installation, for the processes that load its packages. */
function tell(home, purpose, reasons) {
  mkdirSync(join(home, 'node_modules'), { recursive: true });
  writeFileSync(told(home), `${JSON.stringify({ purpose, reasons }, null, 2)}\n`);
  return reasons;
}

/** The line that says most: what a compiler or node-gyp complains of, else the first that npm has to say. */
export function reasonIn({ code, signal, stdout, stderr }) {
  if (signal) return `was stopped after ${INSTALL_MS_MAX / 1000} s`;
  const text = `${stdout}\n${stderr}`;
  const line = /^.*\S[:(]\d+.*\berror\b.*$/m.exec(text)?.[0] ?? /gyp ERR! stack (Error: .+)$/m.exec(text)?.[1]
    ?? /npm (?:error|ERR!) (?!code|errno|syscall|path|command)(.+)$/m.exec(text)?.[1];
  return (line ?? `npm ended with code ${code}`).replace(/^npm (?:error|ERR!) /, '').trim();
}

/**
 * Installs what the manifest of `home` names, each one's own script by itself, so that one which fails costs nobody else.
 * Does nothing when that was done before for this Node, also for what failed then: delete `node_modules` there to try again.
 * @param {{ home?: string, progress?: (text: string) => unknown }} options
 * @returns {Promise<{ [name: string]: string }>} why some could not be installed, by name
 */
export async function installPeers({ home = peersHome, progress = (_text) => undefined } = {}) {
  const purpose = purposeOf(home);
  const before = toldOf(home);
  if (before.purpose === purpose) return before.reasons;
  progress('installing the peers of benchmark/peers');
  const installed = await npm(home, 'ci', '--ignore-scripts');
  const names = Object.keys(readJson(home, 'package.json').devDependencies);
  if (installed.code !== 0) { // the next run tries again: the registry may be within reach by then
    const reason = reasonIn(installed);
    return tell(home, null, Object.fromEntries(names.map((name) => [name, reason])));
  }
  const reasons = {};
  for (const name of names) {
    progress(`making ${name} ready`);
    const made = await npm(home, 'rebuild', name, '--foreground-scripts');
    if (made.code !== 0) reasons[name] = reasonIn(made);
  }
  return tell(home, purpose, reasons);
}
