// `npm run proof:lsan`: LeakSanitizer on the core's tests; `-- --quick` on some of them. docs/TESTING.md says what it can and cannot see.
import { heading, isEntry } from '../lib.mjs';
import { rustSuite } from '../suites.mjs';
import { Sanitizer, rungMain, timed } from './rung.mjs';

const lsan = new Sanitizer({
  name: 'lsan',
  flags: '-Zsanitizer=leak -Cforce-frame-pointers=yes --cfg offheap_canary', // what is kept is known by who allocated it
  options: { exitcode: '86', allocator_may_return_null: '1' }, // sizes that no system has are asked for on purpose
  suppressions: 'lsan.txt',
});

/** The short form: what is made and unmade most. */
const QUICK = ['--test', 'allocators', '--test', 'shares', '--test', 'pools'];
const MIN_QUICK_TESTS = 60;

export async function climbLsan({ quick = false } = {}) {
  heading('LeakSanitizer: the alarm');
  await lsan.build('-p', 'offheap-proof', '--bin', 'canary');
  const alarm = await lsan.canaries('a planted leak', lsan.output('debug', 'canary'), [
    { args: ['leak'], expected: /1000[0 ]* byte\(s\) leaked/ },
  ]);
  heading('LeakSanitizer: the core');
  const core = await timed(quick ? 'some tests of the core' : 'tests of the core', () =>
    lsan.watch(() => rustSuite({
      name: 'Rust, LeakSanitizer',
      args: [...(quick ? QUICK : []), ...lsan.buildArgs],
      env: { ...lsan.buildEnv, ...lsan.env },
      minimum: quick ? MIN_QUICK_TESTS : undefined,
    })));
  return [alarm, core];
}

if (isEntry(import.meta.url)) await rungMain('proof:lsan', ({ quick }) => [{ name: 'lsan', run: () => climbLsan({ quick }) }], { hasQuick: true });
