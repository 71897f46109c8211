// The free protocol: one program for each scene, on blocks that JavaScript can see, see _programs.ts. docs/FREE.md names the program that
// proves each edge of the protocol; here it is compared with what is there.
import test from 'ava';
import { existsSync, readFileSync } from 'node:fs';
import { testPrograms } from './_programs.js';

const programs = testPrograms({ url: new URL('free/', import.meta.url), least: 75, linesMax: 40 });

const page = readFileSync(new URL('../docs/FREE.md', import.meta.url), 'utf8');
const named = new Set([...page.matchAll(/`((?:misuse\/)?[a-z][\w-]*)\.mjs`/g)].map(([, name = '']) => name));

test('docs/FREE.md names no program that is not there', (t) => {
  const missing = [...named].filter((name) => !existsSync(new URL(`${name.includes('/') ? '' : 'free/'}${name}.mjs`, import.meta.url)));
  t.deepEqual(missing, []);
});

test('docs/FREE.md says of every program what it proves', (t) => {
  t.deepEqual(programs.map(({ name }) => name.replace('.mjs', '')).filter((name) => !named.has(name)), []);
});

test('docs/FREE.md proves each edge of the diagram, and has no proof of another', (t) => {
  const drawn = [...page.matchAll(/^ +\[?\*?\]?\w* *--> .*: (\d+)\b/gm)].map(([, edge]) => Number(edge));
  const proved = [...page.matchAll(/^\| (\d+) \|.*\|$/gm)].map(([row, edge]) => ({ edge: Number(edge), row }));
  t.true(drawn.length >= 15, `${drawn.length} edges are drawn`);
  t.deepEqual(proved.map(({ edge }) => edge).toSorted((a, b) => a - b), drawn.toSorted((a, b) => a - b));
  for (const { edge, row } of proved) t.regex(row, /`(?:misuse\/)?[\w-]+\.mjs`/, `edge ${edge}`);
});
