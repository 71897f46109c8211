// The table of docs/TESTING.md, made of planted/index.mjs, and what can be said of planted bugs without planting them.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { planted } from '../../planted/index.mjs';
import { filesUnder, inRoot } from '../lib.mjs';
import { nameOf } from './commands.mjs';
import { filesOf, tryPatch } from './scratch.mjs';

const page = 'docs/TESTING.md';
const BEGIN = '<!-- planted bugs: written by `npm run planted -- --write` -->';
const END = '<!-- end of planted bugs -->';

const cell = (text) => text.replaceAll('|', '\\|');
const file = (name) => filesOf(name).map((path) => `\`${path.replace('crates/offheap-', '').replace('/src/', ': ')}\``).join(', ');

function table() {
  const rows = planted.map(({ name, breaks, red }) => `| ${name} | ${file(name)} | ${cell(breaks)} | \`${cell(nameOf(red))}\` |`);
  return [BEGIN, '', '| planted bug | in | what it breaks | what goes red |', '| --- | --- | --- | --- |', ...rows, '', END].join('\n');
}

function present(text) {
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  return from < 0 || to < from ? null : text.slice(from, to + END.length);
}

/** Writes the table anew. */
export function writePage() {
  const text = readFileSync(inRoot(page), 'utf8');
  const old = present(text);
  if (old === null) throw new Error(`${page} has no place for the table: ${BEGIN} … ${END}`);
  writeFileSync(inRoot(page), text.replace(old, () => table()));
}

const escaped = (part) => part.replaceAll(/\\(['"])/g, '$1').replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The titles of a spec's tests, as patterns: what a title is made of shows only when it runs. */
function titlesIn(text) {
  const titles = [...text.matchAll(/\btest(?:\.serial)?\((?:'((?:\\.|[^'])+)'|"([^"]+)"|`([^`]+)`)/g)];
  return titles.map(([, single, double, made]) => new RegExp(`^${(single ?? double ?? made).split(/\$\{[^}]*\}/).map(escaped).join('.*')}$`));
}

/** Why what must go red cannot: no test has that name. */
function missingTest(red, rust) {
  if (red.scene !== undefined) return rust.includes(`("${red.scene}", `) ? null : `no scene is called ${red.scene}`;
  const path = red.spec ?? red.program;
  if (path === undefined) return rust.includes(`fn ${red.model ?? red.test}(`) ? null : `no test is called ${red.model ?? red.test}`;
  if (!existsSync(inRoot(path))) return `${path} is not there`;
  const isThere = red.match === undefined || titlesIn(readFileSync(inRoot(path), 'utf8')).some((title) => title.test(red.match));
  return isThere ? null : `${path} has no test '${red.match}'`;
}

/** What is wrong with the table, the patches or the page. Whether the bugs are noticed is for `npm run planted` to say. */
export async function plantedBreaches() {
  const names = planted.map(({ name }) => name);
  const patches = readdirSync(inRoot('planted')).filter((entry) => entry.endsWith('.patch')).map((entry) => entry.replace('.patch', ''));
  const rust = filesUnder(inRoot('crates')).filter((path) => path.endsWith('.rs')).map((path) => readFileSync(path, 'utf8')).join('\n');
  const there = names.filter((name) => patches.includes(name));
  const refusals = await Promise.all(there.map(async (name) => [name, await tryPatch(name)]));
  const text = existsSync(inRoot(page)) ? readFileSync(inRoot(page), 'utf8') : '';
  const breaches = [
    ...names.filter((name) => !patches.includes(name)).map((name) => `planted/index.mjs: ${name} has no patch`),
    ...patches.filter((name) => !names.includes(name)).map((name) => `planted/${name}.patch: has no row in planted/index.mjs`),
    ...names.filter((name, index) => !name.startsWith(`${String(index + 1).padStart(2, '0')}-`)).map((name) => `planted/index.mjs: ${name} is out of order`),
    ...refusals.filter(([, why]) => why !== null).map(([name, why]) => `planted/${name}.patch: ${why}; make it again for the code as it is`),
    ...planted.map(({ name, red }) => [name, missingTest(red, rust)]).filter(([, why]) => why !== null).map(([name, why]) => `planted/index.mjs: ${name}: ${why}`),
  ];
  if (breaches.length === 0 && present(text) !== table()) breaches.push(`${page}: its table of planted bugs is another; \`npm run planted -- --write\` writes it`);
  return breaches;
}
