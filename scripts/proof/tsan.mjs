// `npm run proof:tsan`: ThreadSanitizer on the scenes of crates/offheap-proof/src/bin/races; `-- NAME…` on those whose names
// contain one of these. docs/TESTING.md says what it can and cannot see.
import { Stop, heading, isEntry, run, seconds } from '../lib.mjs';
import { Sanitizer, inPairs, rungMain, timed } from './rung.mjs';

/** A scene that is gone must not go unnoticed. Raise it as scenes come. */
const MIN_SCENES = 16;
/** Several times what the longest takes on two cores: a scene in which threads wait for ever is stopped. */
const LIMIT_MS = 3 * 60_000;

export const tsan = new Sanitizer({
  name: 'tsan',
  flags: '-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer --cfg offheap_tsan -Cdebuginfo=1',
  options: { exitcode: '66', second_deadlock_stack: '1', history_size: '4' },
  suppressions: 'tsan.txt',
});

/** What cargo builds, and where it puts the program. */
export const sceneArgs = ['-p', 'offheap-proof', '--bin', 'races', '--release'];
export const sceneProgram = ['release', 'races'];

async function scene(program, name) {
  const { code, stderr, ms } = await run(program, [name], { output: 'capture', env: tsan.env, limitMs: LIMIT_MS });
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds(ms)})${code === 0 ? '' : `: exit code ${code}\n${stderr}`}`);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: code === 66 ? 0 : 1 }; // 66: what was reported counts
}

async function scenes(program, parts) {
  const { stdout } = await run(program, ['--list'], { output: 'capture', env: tsan.env });
  const all = stdout.trim().split('\n').filter((name) => name !== 'canary');
  const chosen = parts.length === 0 ? all : all.filter((name) => parts.some((part) => name.includes(part)));
  if (chosen.length === 0) throw new Stop(`No scene has such a name: ${all.join('; ')}.`);
  const missing = all.length < MIN_SCENES ? 1 : 0;
  if (missing > 0) console.log(`FAILED there are only ${all.length} scenes, at least ${MIN_SCENES} must be`);
  const { passed, failed } = await tsan.watch(() => inPairs(chosen, (name) => scene(program, name)));
  return { passed, failed: failed + missing };
}

export async function climbTsan({ names = [] } = {}) {
  heading('ThreadSanitizer: the alarm');
  await tsan.build(...sceneArgs);
  const program = tsan.output(...sceneProgram);
  const alarm = await tsan.canaries('a planted race', program, [{ args: ['canary'], expected: /data race/ }]);
  heading('ThreadSanitizer: scenes');
  return [alarm, await timed('scenes of several threads', () => scenes(program, names))];
}

if (isEntry(import.meta.url)) await rungMain('proof:tsan', ({ args }) => [{ name: 'tsan', run: () => climbTsan({ names: args }) }], { hasNames: true });
