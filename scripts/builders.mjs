// The two outputs of a build, native/ (the addon and its loader) and dist/ (the TypeScript), and when each is stale.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stop, cargoEnvironment, filesUnder, heading, inRoot, isStale, newest, runNode, seconds } from './lib.mjs';

const native = inRoot('native');
const dist = inRoot('dist');
const lock = inRoot('Cargo.lock');
const addonSources = [inRoot('crates', 'offheap-core', 'src'), inRoot('crates', 'offheap-core', 'Cargo.toml'),
  inRoot('crates', 'offheap-node'), inRoot('Cargo.toml')];
const distSources = [inRoot('index.ts'), inRoot('facade'), inRoot('tsconfig.json')];

export function addonIsStale() {
  const ours = `.${process.platform}-${process.arch}`; // other platforms' addons are none of our business
  const addons = existsSync(native)
    ? readdirSync(native).filter((name) => name.endsWith('.node') && name.includes(ours))
    : [];
  return addons.length === 0 || addons.some((name) => isStale(join(native, name), ...addonSources, lock));
}

export const distIsStale = () => isStale(join(dist, 'index.js'), ...distSources);

/** @param {string[]} extra more arguments for `napi build`, such as `--target` */
export async function buildAddon(extra = []) {
  const env = cargoEnvironment();
  heading('addon (napi build)');
  const sourcesSeen = newest(...addonSources);
  const staging = inRoot('.cache', 'native');
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  const { code, ms } = await runNode([inRoot('node_modules', '@napi-rs', 'cli', 'dist', 'cli.js'), 'build',
    '--platform', '--profile', 'addon', '--manifest-path', 'crates/offheap-node/Cargo.toml',
    '--output-dir', '.cache/native', '--js', 'index.cjs', '--dts', 'index.d.ts', ...extra], { env });
  if (code !== 0) throw new Stop('The addon did not build: the compiler message above says why.');
  // Renamed into place: overwriting a library that a running process has mapped would crash that process.
  mkdirSync(native, { recursive: true });
  const seen = Math.max(sourcesSeen, newest(lock)); // cargo may have written the lock file just now
  for (const name of readdirSync(staging)) {
    stamp(join(staging, name), seen);
    renameSync(join(staging, name), join(native, name));
  }
  console.log(`native/ built in ${seconds(ms)}`);
}

export async function buildDist() {
  heading('dist (tsc, esbuild)');
  const sourcesSeen = newest(...distSources);
  const started = Date.now() - 10; // file systems round times
  const types = await runNode([inRoot('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.json', '--emitDeclarationOnly']);
  if (types.code !== 0) throw new Stop('dist/ did not build: the compiler message above says why.');
  await bundle();
  const ms = Date.now() - started;
  for (const path of filesUnder(dist)) {
    if (statSync(path).mtimeMs < started) rmSync(path); // its source is gone
    else stamp(path, sourcesSeen);
  }
  console.log(`dist/ built in ${seconds(ms)}`);
}

/**
 * One module: Node takes a millisecond or two for each file that it loads. Without comments: one character beyond Latin-1 in them, and V8 keeps the
 * whole text in two bytes a character. Short: Node keeps the file as well as V8 its text, and V8 each name in a table, which for one name too many is
 * made anew, twice as large, on top of all that parsing took. The map tells what it was.
 */
async function bundle() {
  const { build, transform } = await import('esbuild'); // here, since it may have been installed a moment ago
  const common = { platform: 'node', target: 'node20.19', logLevel: 'warning' };
  const bundled = await build({
    ...common,
    format: 'esm',
    absWorkingDir: inRoot(),
    entryPoints: ['index.ts'],
    outfile: 'dist/index.js',
    bundle: true,
    external: ['#native'],
    minifyWhitespace: true, // which drops comments; the next pass sets lines again, by which those below find their places
    sourcemap: 'inline',
    write: false,
  });
  const lines = await transform(bundled.outputFiles[0].text, { ...common, format: 'esm', sourcemap: 'inline' });
  const { text, numbers } = withoutNumbers(withConstants(withPowers(withoutImports(lines.code))));
  const { script, asModule } = asScript(text);
  const short = { minifyWhitespace: true, minifyIdentifiers: true, lineLimit: 120 }; // an error that is printed shows one line of the file
  const { code, map } = await transform(script, { ...common, ...short, define: numbers, sourcemap: 'external', sourcefile: 'index.js' });
  if (/^import\b(?!\.)/m.test(text) || /[^\0-\xff]/.test(code)) throw new Stop('dist/index.js imports something, or is not Latin-1: both cost whoever loads it memory.');
  mkdirSync(dist, { recursive: true });
  writeFileSync(join(dist, 'index.js'), `${asModule(code)}//# sourceMappingURL=index.js.map\n`);
  writeFileSync(join(dist, 'index.js.map'), map);
}

/**
 * The module as a script, and what makes a module of it again. What stands at the top of a script any other may use, so esbuild keeps those names,
 * by which people know the frames of a stack; it shortens those within functions.
 */
function asScript(text) {
  const exports = /^export \{[^}]*\};$/m.exec(text)?.[0];
  if (exports === undefined) throw new Stop('The bundle exports nothing, or in a way that scripts/builders.mjs does not know.');
  return {
    script: `'use strict';${text.replace(exports, '').replaceAll('import.meta.url', 'IMPORT_META_URL')}`,
    asModule: (code) => `${code.replace(/^"use strict";/, '').replaceAll('IMPORT_META_URL', 'import.meta.url')}${exports.replaceAll(/\s+/g, ' ')}\n`,
  };
}

/**
 * Of a built-in module that is imported Node evaluates every export, and so loads what those get lazily: for `node:util` streams and worker_threads, on
 * Node 22 to 26 two MiB. Asked for as an object, it is what it is. The source map is off on those lines.
 */
function withoutImports(text) {
  return text.replaceAll(/^import \{(?<names>[^}]*)\} from "(?<module>node:[\w/]+)";$/gm, (_, names, module) =>
    `const {${names.replaceAll(/(\w+) as (\w+)/g, '$1: $2')}} = process.getBuiltinModule("${module}");`);
}

/**
 * A power of two numbers, worked out here: V8 13 (Node 24) asks the C library's `pow` for it when it compiles, whose tables and code are 230 kB of resident
 * memory. The source map is off by some columns on those lines.
 */
function withPowers(text) {
  return text.replaceAll(/(?<![\w$.])(?<base>\d+) \*\* (?<exponent>\d+)(?![\w$.]| \*\*)/g, (_, base, exponent) => `${Number(base) ** Number(exponent)}`);
}

/**
 * esbuild makes each top-level const a var, and V8 folds constants only: the table's address, the native functions. A name that is
 * assigned again stays a var. The source map is off by two columns on those lines.
 */
function withConstants(text) {
  return text.replaceAll(/^var (?<name>[\w$]+) = /gm, (declaration, name) => {
    const escaped = name.replaceAll('$', '\\$');
    const assignments = text.match(new RegExp(`(?<![\\w$.])${escaped} *(?:[-+*/%&|^]|\\?\\?|\\|\\||&&|<<|>>>?)?=(?![=>])|(?<![\\w$.])${escaped} *(?:\\+\\+|--)`, 'g'));
    return assignments?.length === 1 ? `const ${name} = ` : declaration;
  });
}

/**
 * Takes out the declarations of numbers; a second pass writes the numbers where the names stood. V8 inlines by the length of bytecode,
 * in which a name of the module costs seven bytes more than a number: with names, an acquire and a release do not fit into one loop.
 */
function withoutNumbers(text) {
  const numbers = {};
  const rest = text.replaceAll(/^const (?<name>[\w$]+) = (?<number>-?\d+);$/gm, (_, name, number) => {
    numbers[name] = number;
    return '';
  });
  return { text: rest, numbers };
}

/** Dates an output like the newest source it was made from, so that a source saved during the build counts as newer. */
function stamp(path, ms) {
  const time = (Math.ceil(ms) + 1) / 1000; // later, never earlier: a rounded-down output would look stale at once
  utimesSync(path, time, time);
}
