// What importing the package makes resident, told by the mappings of a process that does nothing else (Linux, which tells them):
// - of the addon's code less than half: what runs at import lies together in the file (with glibc: zig, which links for musl, takes no such script)
// - of the C library's mathematics nothing: no power is worked out while the package loads
import { execFileSync } from 'node:child_process';
import test from 'ava';

/** A program that prints the mappings of its process before and after the import. */
const PROGRAM = `
  import { readFileSync } from 'node:fs';
  const mappings = () => readFileSync('/proc/self/smaps', 'utf8');
  const before = mappings();
  await import(${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)});
  console.log(JSON.stringify([before, mappings()]));`;

interface Mapped {
  readonly kib: number;
  readonly residentKib: number;
}

/** All mappings of the files whose name and access match, added up. */
function mapped(mappings: string, wanted: RegExp): Mapped {
  const sum = { kib: 0, residentKib: 0 };
  for (const mapping of mappings.split(/^(?=[\da-f]+-[\da-f]+ )/m)) {
    const [first = '', ...figures] = mapping.split('\n');
    if (!wanted.test(first)) continue;
    const figure = (name: string): number => Number(/\d+/.exec(figures.find((line) => line.startsWith(`${name}:`)) ?? '')?.[0]);
    sum.kib += figure('Size');
    sum.residentKib += figure('Rss');
  }
  return sum;
}

if (process.platform === 'linux') {
  const stdout = execFileSync(process.execPath, ['--input-type=module', '--eval', PROGRAM], { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } });
  const [before, after] = JSON.parse(stdout) as [string, string];

  const code = mapped(after, / r-xp .*offheap[^/]*\.node$/);

  test('importing maps the code of the addon', (t) => {
    t.is(mapped(before, /offheap[^/]*\.node$/).kib, 0);
    t.true(code.residentKib > 0);
  });

  if (!/\/ld-musl-/.test(after)) {
    test('importing makes less than half of the code of the addon resident', (t) => {
      t.true(code.residentKib * 2 < code.kib, `${code.residentKib} of ${code.kib} KiB; mold, gold, wild and zig link without often.ld`);
    });
  }

  test('importing works out no power: of the mathematics of the C library nothing more becomes resident', (t) => {
    const more = mapped(after, /\/libm[-.][^/]*$/).residentKib - mapped(before, /\/libm[-.][^/]*$/).residentKib;
    t.true(more < 100, `${more} KiB`);
  });
}
