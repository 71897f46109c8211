// The type tests: __test__/types and its ESM and CommonJS consumer programs, checked by two compilers.
// `typescript` is what we build with; `typescript-5.9` is the oldest release users of the declarations may have.
import { existsSync } from 'node:fs';
import { ensure } from './ensure.mjs';
import { Stop, finish, inRoot, isEntry, main, runNode } from './lib.mjs';

const project = '__test__/types/tsconfig.json';
const compilers = ['typescript', 'typescript-5.9'];

if (isEntry(import.meta.url)) await main(async () => {
  await ensure();
  if (!existsSync(inRoot(project))) throw new Stop(`${project} is missing: the type tests cannot run without it.`);
  const count = { passed: 0, failed: 0 };
  for (const compiler of compilers) {
    const tsc = inRoot('node_modules', compiler, 'bin', 'tsc');
    const { code, stdout, stderr } = await runNode([tsc, '--noEmit', '-p', project], { output: 'capture' });
    if (code === 0) count.passed += 1;
    else {
      count.failed += 1;
      console.log(`FAILED type tests with ${compiler}\n${stdout}${stderr}`);
    }
  }
  return finish(count);
});
