// `npm run proof:lsan`: LeakSanitizer on the core's tests. docs/TESTING.md says what it can and cannot see.
import { heading, isEntry } from '../lib.mjs';
import { rustSuite } from '../suites.mjs';
import { Sanitizer, rungMain, timed } from './rung.mjs';

const lsan = new Sanitizer({
  name: 'lsan',
  flags: '-Zsanitizer=leak -Cforce-frame-pointers=yes --cfg offheap_canary', // what is kept is known by who allocated it
  options: { exitcode: '86' },
  suppressions: 'lsan.txt',
});

export async function climbLsan() {
  heading('LeakSanitizer: the alarm');
  await lsan.build('-p', 'offheap-proof', '--bin', 'canary');
  const alarm = await lsan.canaries('a planted leak', lsan.output('debug', 'canary'), [
    { args: ['leak'], expected: /1000[0 ]* byte\(s\) leaked/ },
  ]);
  heading('LeakSanitizer: the core');
  const core = await timed('tests of the core', () =>
    lsan.watch(() => rustSuite({ name: 'Rust, LeakSanitizer', args: lsan.buildArgs, env: { ...lsan.buildEnv, ...lsan.env } })));
  return [alarm, core];
}

if (isEntry(import.meta.url)) await rungMain('proof:lsan', () => [{ name: 'lsan', run: climbLsan }]);
