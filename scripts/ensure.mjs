// Brings a checkout to the point where the library can be loaded: npm packages, addon, dist/.
// Quiet when nothing is to do; OFFHEAP_SKIP_BUILD=1 trusts what is there (prebuilt artifacts in CI).
import { existsSync, readFileSync } from 'node:fs';
import { addonIsStale, buildAddon, buildDist, distIsStale } from './builders.mjs';
import { Stop, cargoEnvironment, heading, inRoot, isEntry, main, runNpm } from './lib.mjs';

/** @returns {Promise<void>} when packages, addon and dist/ are there and no older than their sources. */
export async function ensure() {
  if (process.env.OFFHEAP_SKIP_BUILD === '1') return;
  if (addonIsStale()) cargoEnvironment(); // a missing toolchain is said before the wait for npm
  await ensurePackages();
  if (addonIsStale()) await buildAddon();
  if (distIsStale()) await buildDist();
}

export async function ensurePackages() {
  if (!packagesAreStale()) return;
  heading('npm ci');
  const { code } = await runNpm(['ci', '--no-audit', '--no-fund']);
  if (code !== 0) throw new Stop('npm ci failed: its own message above says why; nothing was built or tested.');
}

/** Compares what the lock file asks for with what npm says it installed: times lie after a checkout. */
function packagesAreStale() {
  const installed = inRoot('node_modules', '.package-lock.json');
  if (!existsSync(installed)) return true;
  const wanted = packagesIn(inRoot('package-lock.json'));
  const present = packagesIn(installed);
  return Object.entries(wanted).some(([path, { version, optional, peer }]) => {
    if (path === '') return false; // the project itself
    const found = present[path];
    return found ? found.version !== version : !optional && !peer; // optional ones are for other platforms
  });
}

const packagesIn = (path) => JSON.parse(readFileSync(path, 'utf8')).packages ?? {};

if (isEntry(import.meta.url)) await main(ensure);
