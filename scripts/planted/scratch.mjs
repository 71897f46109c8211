// The scratch copy in which bugs are planted, under .cache/. It stays from run to run, with builds of its own: whatever is compiled there
// is compiled in pieces.
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { Stop, filesUnder, inRoot, run } from '../lib.mjs';

const place = '.cache/planted/tree';
/** The copy's root. */
export const scratch = inRoot(...place.split('/'));
const inScratch = (name) => join(scratch, ...name.split('/'));

/** What of the tree the builds and the tests need. */
const COPIED = ['crates', 'facade', '__test__', 'scripts', 'examples', 'docs', 'index.ts', 'Cargo.toml', 'Cargo.lock', 'package.json',
  'package-lock.json', 'tsconfig.json', 'README.md', 'CHANGELOG.md'];

const contents = (path) => (existsSync(path) ? readFileSync(path) : null);

/** Writes a file of the tree into the copy if it differs there: what is written is newer than every build. */
function restore(name) {
  const wanted = contents(inRoot(...name.split('/')));
  const present = contents(inScratch(name));
  if (wanted === null) rmSync(inScratch(name), { force: true });
  else if (present === null || !wanted.equals(present)) {
    mkdirSync(dirname(inScratch(name)), { recursive: true });
    writeFileSync(inScratch(name), wanted);
  }
}

/** Makes the copy what the tree is now, committed or not. */
export async function bringUpToDate() {
  const listed = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...COPIED], { output: 'capture' });
  if (listed.code !== 0) throw new Stop(`git cannot list the files: ${listed.stderr.trim()}`);
  const names = new Set(listed.stdout.split('\0').filter(Boolean));
  const present = filesUnder(...COPIED.map(inScratch)).map((path) => relative(scratch, path).split(sep).join('/'));
  for (const name of new Set([...names, ...present])) {
    if (names.has(name)) restore(name);
    else rmSync(inScratch(name));
  }
  if (!existsSync(join(scratch, 'node_modules'))) symlinkSync(inRoot('node_modules'), join(scratch, 'node_modules'), 'junction');
}

export const patchOf = (name) => `planted/${name}.patch`;

/** The files that a patch changes. */
export const filesOf = (name) => [...readFileSync(inRoot(patchOf(name)), 'utf8').matchAll(/^\+\+\+ b\/(.+)$/gm)].map(([, file]) => file);

/** Why a patch does not apply, to the tree or to the copy; null when it does. `how`: more arguments of `git apply`. */
async function apply(name, ...how) {
  const { code, stderr } = await run('git', ['apply', '--whitespace=nowarn', ...how, patchOf(name)], { output: 'capture' });
  return code === 0 ? null : stderr.trim();
}

/** Whether a patch applies to the tree as it is: null, or why not. */
export const tryPatch = (name) => apply(name, '--check');

/** Plants a bug in the copy. Gives null, or why it cannot. */
export async function plant(name) {
  const before = filesOf(name).map((file) => contents(inScratch(file)));
  const refused = await apply(name, `--directory=${place}`);
  if (refused !== null) return refused;
  const changed = filesOf(name).some((file, index) => !contents(inScratch(file)).equals(before[index] ?? Buffer.alloc(0)));
  return changed ? null : 'it changes nothing';
}

/** Takes it out again. */
export function uproot(name) {
  for (const file of filesOf(name)) restore(file);
}
