// Misuse: one program each, which must end with its expected exit code, error code and message, and touch no bystander; see _programs.ts.
// fuzz.mjs makes calls at random; `npm run proof:fuzz -- calls` makes many more.
import test from 'ava';
import { fileURLToPath } from 'node:url';
import { TIMEOUT_MS, reportOf, runInTurn, testPrograms } from './_programs.js';
import type { Program } from './_programs.js';

const url = new URL('misuse/', import.meta.url);
const FUZZ = 'fuzz.mjs';
const programs = testPrograms({ url, least: 141, linesMax: 26, leastMessages: 120, except: [FUZZ] });

const SEEDS = [1, 20_261_122, 1 + Math.floor(Math.random() * 0x7fffffff)];
const expected = { exit: 0, codes: [], message: undefined, stderr: undefined };
const fuzz: Program = { folder: fileURLToPath(url), name: FUZZ, text: '', expected, nodeArguments: ['--expose-gc'], env: {}, shell: undefined };

for (const [index, seed] of SEEDS.entries()) {
  test(`random calls with hostile values, seed ${index === 2 ? 'of this run' : seed}`, async (t) => {
    t.timeout(2 * TIMEOUT_MS * programs.length, 'waits its turn');
    t.log(`seed ${seed}: node --expose-gc __test__/misuse/fuzz.mjs ${seed}`);
    const { code, signal, stdout, stderr } = await runInTurn(fuzz, String(seed));
    t.is(signal, null, stderr);
    t.is(code, 0, `${stdout}${stderr}`);
    const { stats, calls = 0, refused = 0 } = reportOf(stdout);
    t.is(stats, 'exact');
    t.true(calls >= 3000 && refused > 500 && refused < 2000, stdout);
  });
}
