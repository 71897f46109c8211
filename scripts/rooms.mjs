// The room test: who may use whom, where unsafe may stand, how long things may be. The rules are in rooms/table.mjs.
// `node scripts/rooms.mjs` prints breaches; with `--self-test` it also plants breaches and demands to be told.
import { isEntry, finish, main, root } from './lib.mjs';
import { checkLength } from './rooms/length.mjs';
import { checkRust } from './rooms/rust-rules.mjs';
import { selfTest } from './rooms/self-test.mjs';
import { checkTypeScript } from './rooms/ts-rules.mjs';

/** @returns {string[]} every breach in the tree at `directory`; empty when the house is in order */
export const findBreaches = (directory = root) => [...checkRust(directory), ...checkTypeScript(directory), ...checkLength(directory)];

if (isEntry(import.meta.url)) await main(async (args) => {
  const failures = findBreaches();
  let passed = failures.length === 0 ? 1 : 0;
  if (args.includes('--self-test')) {
    const alarms = await selfTest(findBreaches);
    passed += alarms.passed;
    failures.push(...alarms.failures);
    console.log(`${alarms.passed} planted breaches and look-alikes were told apart`);
  }
  for (const failure of failures) console.log(`FAILED ${failure}`);
  return finish({ passed, failed: failures.length });
});
