// What the commands that need a tool of the system share: finding it, asking it, and installing it where apt can.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Stop, run } from './lib.mjs';

export const isOnPath = (name) => (process.env.PATH ?? '').split(delimiter).some((directory) => existsSync(join(directory, name)));

/** The output of a command; empty where it cannot be started or fails. */
export async function output(command, args, options) {
  try {
    const { code, stdout } = await run(command, args, { output: 'capture', ...options });
    return code === 0 ? stdout : '';
  } catch (error) {
    if (error instanceof Stop) return '';
    throw error;
  }
}

let hasUpdated = false;

/** Installs Debian packages, or says which to install. */
export async function install(...packages) {
  const wanted = `sudo apt-get install ${packages.join(' ')}`;
  if (!isOnPath('apt-get') || process.getuid() !== 0) throw new Stop(`${packages.join(', ')} missing: run \`${wanted}\` (or your system's equivalent) and try again.`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  if (!hasUpdated) await output('apt-get', ['update', '-q']);
  hasUpdated = true;
  const { code, stderr } = await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], { output: 'capture', env });
  if (code !== 0) throw new Stop(`\`${wanted}\` failed: ${stderr.trim()}`);
}
