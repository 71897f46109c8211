// The TypeScript rules: ranks inside facade/, one importer of the addon, an index that only exports.
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { posix } from 'node:path';
import { filesUnder } from '../lib.mjs';
import { importsOf, readTypeScript } from './ts-text.mjs';
import { lineAt } from './rust-text.mjs';
import { FACADE_FRIENDS, FACADE_RANKS, NATIVE_DOOR } from './table.mjs';

/** @returns {string[]} one sentence for each breach, with the place and what to do instead */
export function checkTypeScript(root) {
  const files = filesUnder(join(root, 'facade')).filter((path) => /\.[cm]?ts$/.test(path)).map((path) => {
    const text = readFileSync(path, 'utf8');
    const name = relative(join(root, 'facade'), path).split(sep).join('/').replace(/\.[cm]?ts$/, '');
    return { name, text, ...readTypeScript(text) };
  });
  if (files.length === 0) return ['facade/: no .ts file found; the room test looks in the wrong place, fix scripts/rooms/table.mjs'];
  const names = new Set(files.map(({ name }) => name));
  const breaches = files.flatMap((file) => fileBreaches(file, names));
  return [...breaches, ...circleBreaches(files), ...indexBreaches(root)];
}

function rankOf(name) {
  if (Object.hasOwn(FACADE_RANKS, name)) return FACADE_RANKS[name];
  const folder = `${posix.dirname(name)}/*`;
  return Object.hasOwn(FACADE_RANKS, folder) ? FACADE_RANKS[folder] : undefined;
}

/** The facade file a specifier leads to, without its ending; null when it leaves facade/. */
function target(from, specifier) {
  const path = posix.normalize(posix.join(posix.dirname(from), specifier));
  return path.startsWith('../') ? null : path.replace(/\.[cm]?[jt]s$/, '');
}

function fileBreaches(file, names) {
  const place = (start) => `facade/${file.name}.ts:${lineAt(file.text, start)}`;
  const rank = rankOf(file.name);
  if (rank === undefined) return [`facade/${file.name}.ts: has no rank; add it to FACADE_RANKS in scripts/rooms/table.mjs`];
  const breaches = [];
  const [, room, claimed] = /\bRoom: (\w+) \((\d+)\)/.exec(file.text.slice(0, 1000)) ?? [];
  if (room !== undefined && (room !== file.name.split('/')[0] || Number(claimed) !== rank)) {
    breaches.push(`facade/${file.name}.ts: calls its room ${room} (${claimed}); correct the comment, scripts/rooms/table.mjs says ${file.name.split('/')[0]} (${rank})`);
  }
  for (const { start, value } of file.strings) {
    if (value === '#native' && file.name !== NATIVE_DOOR) {
      breaches.push(`${place(start)}: names #native; only facade/${NATIVE_DOOR}.ts may, import what it exports`);
    }
  }
  for (const { start, value } of importsOf(file)) {
    if (value.startsWith('.')) breaches.push(...directionBreaches(file, rank, target(file.name, value), names, place(start)));
    else if (!value.startsWith('node:') && value !== '#native') {
      breaches.push(`${place(start)}: imports '${value}'; the library has no runtime dependencies, and built-ins are written node:…`);
    }
  }
  return breaches;
}

function directionBreaches(file, rank, imported, names, place) {
  if (imported === null) return [`${place}: reaches outside facade/; import from the file that defines it`];
  if (!names.has(imported)) return [`${place}: imports ${imported}, which is no file of facade/; write the full name with .js`];
  const targetRank = rankOf(imported) ?? Infinity;
  const friends = FACADE_FRIENDS.some((folder) => file.name.startsWith(folder) && imported.startsWith(folder));
  if (targetRank < rank || friends) return [];
  return [`${place}: ${file.name} (${rank}) may not import ${imported} (${targetRank}); import lower ranks only: pass the value in, or move the shared part down`];
}

/** Circles among files that may import each other; types count, since they couple as much. */
function circleBreaches(files) {
  const edges = new Map(files.map((file) => [file.name,
    importsOf(file).filter(({ value }) => value.startsWith('.')).map(({ value }) => target(file.name, value))]));
  const done = new Set();
  const breaches = [];
  const visit = (name, trail) => {
    if (trail.includes(name)) breaches.push(`facade/${name}.ts: circle ${[...trail.slice(trail.indexOf(name)), name].join(' → ')}; move what they share into a third file`);
    if (trail.includes(name) || done.has(name)) return;
    for (const next of edges.get(name) ?? []) visit(next, [...trail, name]);
    done.add(name);
  };
  for (const name of edges.keys()) visit(name, []);
  return breaches;
}

function indexBreaches(root) {
  const path = join(root, 'index.ts');
  if (!existsSync(path)) return ['index.ts: missing; it exports the public names'];
  const { code } = readTypeScript(readFileSync(path, 'utf8'));
  const rest = code.replace(/\bexport\s+(?:type\s+)?(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?)\s+from\s*;?/g, '').trim();
  return rest === '' ? [] : [`index.ts: holds more than exports (\`${rest.split('\n')[0].trim().slice(0, 60)}\`); put logic into facade/ and write \`export { … } from './facade/….js'\``];
}
