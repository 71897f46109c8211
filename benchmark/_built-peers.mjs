// Peers of benchmark/peers: compiled where they are installed. One that is not there is a cell that says why, as every peer.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { peersHome, toldOf } from '../scripts/peers.mjs';

const require = createRequire(join(peersHome, 'package.json'));
const { reasons } = toldOf();

/** The pinned versions, by name. */
export const builtVersions = () => JSON.parse(readFileSync(join(peersHome, 'package.json'), 'utf8')).devDependencies;

function load(name) {
  if (reasons[name] !== undefined) return { missing: `${name} could not be installed: ${reasons[name]}` };
  try {
    return { exports: require(name) };
  } catch (error) {
    const [line] = error.message.split('\n');
    return { missing: error.code === 'MODULE_NOT_FOUND' ? `${name} is not installed: npm run bench does it` : `${name} did not load: ${line}` };
  }
}

const loaded = new Map();

/** What a package exports; throws where it is missing, with the reason. */
export function builtPeer(name) {
  if (!loaded.has(name)) loaded.set(name, load(name));
  const { exports, missing } = loaded.get(name);
  if (missing !== undefined) throw new Error(missing);
  return exports;
}
