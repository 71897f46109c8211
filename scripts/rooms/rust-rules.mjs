// The Rust rules: room lines, direction of use, where unsafe may stand and what argues it, function length.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { filesUnder } from '../lib.mjs';
import { pathsNamed } from './rust-paths.mjs';
import { closing, lineAt, readRust } from './rust-text.mjs';
import { BLIND_SIBLINGS, LINES_PER_RUST_FUNCTION_MAX, RUST_ROOMS, UNSAFE_CALLERS, UNSAFE_PLACES } from './table.mjs';

const coreSource = 'crates/offheap-core/src';

/** @returns {string[]} one sentence for each breach, with the place and what to do instead */
export function checkRust(root) {
  const breaches = [];
  const files = filesUnder(join(root, 'crates')).filter((path) => path.endsWith('.rs'))
    .map((path) => ({ name: relative(root, path).split(sep).join('/'), ...readRust(readFileSync(path, 'utf8')) }));
  if (files.length === 0) return ['crates/: no .rs file found; the room test looks in the wrong place, fix scripts/rooms/table.mjs'];
  for (const file of files) breaches.push(...unsafeBreaches(file), ...functionBreaches(file));
  breaches.push(...roomBreaches(root, files));
  return breaches;
}

function roomBreaches(root, files) {
  const source = join(root, coreSource);
  if (!existsSync(source)) return [`${coreSource}: missing; the rooms live there`];
  const breaches = [];
  for (const entry of readdirSync(source, { withFileTypes: true })) {
    const name = `${coreSource}/${entry.name}`;
    const inRoom = files.filter((file) => file.name.startsWith(`${name}/`));
    if (entry.isFile() && entry.name !== 'lib.rs') breaches.push(`${name}: stands outside every room; move it into one`);
    if (!entry.isDirectory() || inRoom.length === 0) continue;
    if (!Object.hasOwn(RUST_ROOMS, entry.name)) {
      breaches.push(`${name}: is not a known room; give it a rank in scripts/rooms/table.mjs, or use a room that exists`);
      continue;
    }
    const { allowed, breaches: lineBreaches } = roomLine(entry.name, inRoom.find((file) => file.name === `${name}/mod.rs`));
    breaches.push(...lineBreaches, ...inRoom.flatMap((file) => directionBreaches(file, entry.name, allowed)));
  }
  return breaches;
}

/** Reads `//! Room: name (rank). May use: a, b.` and holds it against the table. */
function roomLine(room, file) {
  const place = `${coreSource}/${room}/mod.rs`;
  const head = file?.text.split('\n').slice(0, 8).join('\n') ?? '';
  const line = /^\/\/! Room: (\w+) \((\d+)\)\. May use: ([\w, ]+)\.\s*$/m.exec(head);
  if (!line) {
    return { allowed: [], breaches: [`${place}: has no room line; start it with \`//! Room: ${room} (${RUST_ROOMS[room]}). May use: …, ….\` (or \`nothing\`)`] };
  }
  const allowed = line[3].trim() === 'nothing' ? [] : line[3].split(',').map((name) => name.trim());
  const breaches = [];
  if (line[1] !== room || Number(line[2]) !== RUST_ROOMS[room]) {
    breaches.push(`${place}: calls itself ${line[1]} (${line[2]}); it is ${room} (${RUST_ROOMS[room]}) in scripts/rooms/table.mjs`);
  }
  for (const name of allowed) {
    if (!(RUST_ROOMS[name] < RUST_ROOMS[room])) {
      breaches.push(`${place}: may not list ${name}; a room uses lower ranks only, so move what it needs down or its user up`);
    }
  }
  return { allowed, breaches };
}

function directionBreaches(file, room, allowed) {
  const breaches = [];
  const at = (position) => `${file.name}:${lineAt(file.text, position)}`;
  const parts = file.name.slice(coreSource.length + 1, -'.rs'.length).split('/');
  const module = parts.at(-1) === 'mod' ? parts.slice(0, -1) : parts;
  for (const { path, position, isMacro } of pathsNamed(file, module)) {
    const [target, inside] = path;
    if (target === room) breaches.push(...siblingBreaches(room, module, inside, at(position)));
    else if (target === undefined || target === '*') breaches.push(`${at(position)}: takes the whole crate; name the room it needs, as in crate::base::…`);
    else if (!Object.hasOwn(RUST_ROOMS, target)) {
      if (!isMacro) breaches.push(`${at(position)}: crate::${target} is not a room; name the room it comes from, as in crate::base::${target}`);
    } else if (!allowed.includes(target)) {
      breaches.push(`${at(position)}: room ${room} may not use ${target}; ${remedy(room, target)}`);
    }
  }
  for (const { text, start } of file.attributes) {
    if (/path\s*=\s*"[^"]*\.\./.test(text)) breaches.push(`${at(start)}: #[path] leaves the room; keep the file inside it`);
  }
  return breaches;
}

function remedy(room, target) {
  return RUST_ROOMS[target] < RUST_ROOMS[room]
    ? `add it to the room line of ${room}/mod.rs if that is meant`
    : 'it ranks no lower: pass the value in, or move the shared part down';
}

function siblingBreaches(room, module, target, place) {
  const { strategies = [], mixes = [] } = BLIND_SIBLINGS[room] ?? {};
  const [, self] = module;
  if (!strategies.includes(self) || !strategies.includes(target) || self === target || mixes.includes(self)) return [];
  return [`${place}: ${room}/${self} may not use its sibling ${target}; share through a file both may use, or do it in ${mixes.join(', ')}`];
}

function unsafeBreaches({ name, text, code }) {
  const breaches = [];
  const lines = text.split('\n');
  const codeLines = code.split('\n');
  const allowed = [...UNSAFE_PLACES, ...UNSAFE_CALLERS].some((place) => (place.endsWith('/') ? name.startsWith(place) : name === place));
  for (const { index } of code.matchAll(/\bunsafe\b/g)) {
    const line = lineAt(text, index);
    if (!allowed) breaches.push(`${name}:${line}: unsafe outside ${UNSAFE_PLACES.join(' and ')}; put it behind a safe function there`);
    const argued = !/^unsafe\s*(\{|impl\b)/.test(code.slice(index, index + 200)) || hasSafetyComment(lines, codeLines, line - 1);
    if (!argued) breaches.push(`${name}:${line}: unsafe without an argument; write \`// SAFETY: …\` directly above, point by point`);
  }
  return breaches;
}

/** Looks up from a line through attributes, comments and the start of the same statement. */
function hasSafetyComment(lines, codeLines, from) {
  for (let at = from - 1; at >= 0; at -= 1) {
    const comment = /^\s*\/\/(.*)/.exec(lines[at]);
    const code = codeLines[at].trim();
    if (comment && /\bSAFETY:/.test(comment[1])) return true;
    const isAttribute = !comment && code === '' && lines[at].trim() !== '';
    const isSameStatement = code !== '' && !/[;{},]$/.test(code);
    if (!comment && !isAttribute && !isSameStatement) return false;
  }
  return false;
}

function functionBreaches({ name, text, code, modules }) {
  if (/(^|\/)(tests|benches)\/|\/tests\.rs$/.test(name)) return [];
  const breaches = [];
  for (const match of code.matchAll(/\bfn\s+(\w+)/g)) {
    if (modules.some(({ start, end, forTests }) => forTests && start < match.index && match.index < end)) continue;
    const body = bodyStart(code, match.index + match[0].length);
    if (body === -1) continue;
    const first = lineAt(text, match.index);
    const length = lineAt(text, closing(code, body)) - first + 1;
    if (length > LINES_PER_RUST_FUNCTION_MAX) {
      breaches.push(`${name}:${first}: fn ${match[1]} has ${length} lines, the limit is ${LINES_PER_RUST_FUNCTION_MAX}; let the parent branch and helpers compute`);
    }
  }
  return breaches;
}

/** The `{` of a function's body, or -1 when it is only declared. */
function bodyStart(code, from) {
  for (let at = from; at < code.length; at += 1) {
    if (code[at] === '(' || code[at] === '[') at = closing(code, at);
    else if (code[at] === '{') return at;
    else if (code[at] === ';') return -1;
  }
  return -1;
}
