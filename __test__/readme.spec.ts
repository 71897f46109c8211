// Properties:
// - every TypeScript example of README.md and docs/ALLOCATORS.md runs against the built package,
// - what a `console.log` prints is what the comment behind it says.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}.cache/readme-${process.pid}`; // inside the package, so that it can import itself by name

interface Example {
  readonly title: string;
  readonly code: string;
}

function examples(page: string): Example[] {
  const found: Example[] = [];
  let title = 'first example';
  const text = readFileSync(root + page, 'utf8');
  for (const match of text.matchAll(/^#+ (?<heading>.+)$|^```ts\n(?<code>[\s\S]*?)^```$/gm)) {
    const { heading, code } = match.groups ?? {};
    if (heading !== undefined) title = heading;
    if (code !== undefined) found.push({ title, code });
  }
  return found;
}

/** `console.log(…); // 42` promises a line `42`; a comment line after a loop promises that line. Prose after a colon is not part of it. */
function promised(code: string): string[] {
  const lines: string[] = [];
  for (const line of code.split('\n')) {
    const behind = /console\.log\(.*\); \/\/ (?<text>.*)$/.exec(line)?.groups?.['text'];
    const alone = /^\/\/ (?<text>ERR_\w+|\w+ \w+ \d+)$/.exec(line)?.groups?.['text'];
    const text = behind ?? alone;
    if (text !== undefined) lines.push(text.startsWith('on Linux: ') ? text.slice('on Linux: '.length) : text.replace(/^(\S+): the very .*$/, '$1'));
  }
  return lines;
}

test.before(() => {
  mkdirSync(folder, { recursive: true });
});
test.after.always(() => {
  rmSync(folder, { recursive: true, force: true });
});

for (const page of ['README.md', 'docs/ALLOCATORS.md']) {
  for (const [index, { title, code }] of examples(page).entries()) {
    test(`${page}, "${title}" (${index}): runs and prints what it says`, async (t) => {
      const file = `${folder}/${page.replaceAll(/\W/g, '-')}-${index}.mts`;
      writeFileSync(file, code);
      const { stdout } = await run(process.execPath, ['--import', 'tsx', file], { cwd: root });
      const lines = stdout.trimEnd().split('\n').filter((line) => line !== '');
      const expected = promised(code);
      t.true(lines.length > 0 || expected.length === 0);
      t.deepEqual(lines, expected);
    });
  }

  test(`${page} has examples`, (t) => {
    t.true(examples(page).length >= 6);
  });
}
