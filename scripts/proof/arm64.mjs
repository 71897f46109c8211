// `npm run proof:arm64`: the core's tests built for arm64 and run by an emulator, and the addon linked for it. `-- --quick` runs
// some of the tests, on one processor instead of two. docs/TESTING.md says what it can and cannot see.
import { readFileSync } from 'node:fs';
import { Stop, heading, inRoot, isEntry, run, runCargo } from '../lib.mjs';
import { rustSuite } from '../suites.mjs';
import { SYSROOT, TARGET, demandTools, linkerEnv } from './cross.mjs';
import { rungMain, timed } from './rung.mjs';

/** One whose atomics are loops of load and store exclusive, and one that has instructions for them. */
const PROCESSORS = ['cortex-a53', 'neoverse-n1'];
const ELF_MACHINE_ARM64 = 183;

const args = ['--target', TARGET, '--target-dir', 'target/arm64'];
/** Optimised, or the emulator takes ten times as long; what debug builds check stays. */
const buildEnv = {
  ...linkerEnv,
  RUSTFLAGS: `${process.env.RUSTFLAGS ?? ''} --cfg offheap_canary`.trim(),
  CARGO_PROFILE_DEV_OPT_LEVEL: '1',
  CARGO_PROFILE_DEV_DEBUG: 'line-tables-only',
  CARGO_INCREMENTAL: '0',
};
const output = (profile, file) => inRoot('target', 'arm64', TARGET, profile, file);

async function build(...what) {
  const { code } = await runCargo(['build', ...what, ...args], { env: buildEnv });
  if (code !== 0) throw new Stop('What is to run on arm64 could not be built: the compiler says above why.');
}

/** What the emulator must report: what x86 forgives and arm64 does not, and an assertion that fails there. */
const BUGS = [
  { bug: 'odd-word', expected: /signal 7 \(Bus error\)/ },
  { bug: 'assertion', expected: /left: "aarch64"/ },
];

async function alarm(emulator) {
  await build('-p', 'offheap-proof', '--bin', 'canary', '--release'); // a debug build would find the odd address by itself
  for (const { bug, expected } of BUGS) {
    const { code, stderr } = await run(emulator, ['-cpu', PROCESSORS[0], '-L', SYSROOT, output('release', 'canary'), bug], { output: 'capture' });
    if (code === 0 || !expected.test(stderr)) {
      throw new Stop(`The alarm is broken: the emulator did not report the planted bug '${bug}' (exit code ${code}), so it proves nothing. ${stderr.trim()}`);
    }
    console.log(`planted ${bug}: reported`);
  }
  return { passed: BUGS.length, failed: 0 };
}

/** The short form: what differs from processor to processor, and the structures on it. */
const QUICK = ['--lib', '--test', 'ops_model'];
const MIN_QUICK_TESTS = 150;

function tests(emulator, processor, quick) {
  const runner = `${emulator} -cpu ${processor} -L ${SYSROOT}`;
  const env = { ...buildEnv, CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER: runner };
  return rustSuite({ name: `Rust, arm64 (${processor})`, args: [...(quick ? QUICK : []), ...args], env, minimum: quick ? MIN_QUICK_TESTS : undefined });
}

/** It is not run: that Node loads it on arm64 is for a machine that is one. */
async function addon() {
  await build('-p', 'offheap-node');
  const file = readFileSync(output('debug', 'liboffheap_node.so'));
  const isForArm64 = file.readUInt16LE(18) === ELF_MACHINE_ARM64 && file.includes('napi_register_module_v1');
  console.log(`${isForArm64 ? 'ok    ' : 'FAILED'} the addon is linked for arm64 and has its entry`);
  return isForArm64 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

export async function climbArm64({ quick = false } = {}) {
  heading('arm64: the alarm');
  const emulator = await demandTools();
  const rows = [await timed('planted bugs on arm64', () => alarm(emulator))];
  for (const processor of quick ? PROCESSORS.slice(0, 1) : PROCESSORS) {
    heading(`arm64: the core on a ${processor}`);
    rows.push(await timed(`${quick ? 'some ' : ''}tests on a ${processor}`, () => tests(emulator, processor, quick)));
  }
  heading('arm64: the addon');
  rows.push(await timed('the addon links', addon));
  return rows;
}

if (isEntry(import.meta.url)) await rungMain('proof:arm64', ({ quick }) => [{ name: 'arm64', run: () => climbArm64({ quick }) }], { hasQuick: true });
