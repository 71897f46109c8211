// What must go red for a planted bug: how it is built, how it is run, and what came of it.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { loomFlags, root, run, runCargo, runNode, seconds } from '../lib.mjs';
import { sceneArgs, sceneProgram, tsan } from '../proof/tsan.mjs';
import { modelArgs } from '../suites.mjs';
import { readTap } from '../tap.mjs';
import { scratch } from './scratch.mjs';

/** Quick to build, and in pieces: nobody measures here. And whatever the caller set, the copy is built, and its front-end is on. */
const env = {
  OFFHEAP_SKIP_BUILD: '',
  OFFHEAP_FRONTEND: '',
  CARGO_PROFILE_DEV_DEBUG: '0',
  CARGO_INCREMENTAL: '1',
  CARGO_PROFILE_RELEASE_INCREMENTAL: 'true',
  CARGO_PROFILE_ADDON_INCREMENTAL: 'true',
  CARGO_PROFILE_ADDON_LTO: 'off',
  CARGO_PROFILE_ADDON_CODEGEN_UNITS: '16',
};
const inCopy = { cwd: scratch, output: 'capture', env };
const withModels = { ...inCopy, env: { ...env, ...loomFlags() } };

/** Addon and dist/ as the specs need them. */
const ensureLibrary = () => runNode(['scripts/ensure.mjs'], inCopy);

const rustArgs = ({ rust }) => ['test', '-p', 'offheap-core', ...(rust === 'lib' ? ['--lib'] : ['--test', rust])];

/** How a program wants to be run, as its first lines say: see __test__/_programs.ts. */
function header(program) {
  const text = readFileSync(join(scratch, program), 'utf8');
  const [, exit = '0'] = /^\/\/ expect: exit=(\d+)/m.exec(text) ?? [];
  const [, args = ''] = /^\/\/ node: (.+)$/m.exec(text) ?? [];
  return { exit: Number(exit), args: args.split(' ').filter(Boolean) };
}

const inRust = ({ stdout }) => {
  const count = (word) => [...stdout.matchAll(new RegExp(`^test result: .*?(\\d+) ${word}`, 'gm'))].reduce((sum, [, number]) => sum + Number(number), 0);
  return { passed: count('passed'), failed: count('failed') };
};
const inSpec = ({ stdout }) => {
  const { passed, failures } = readTap(stdout);
  return { passed, failed: failures.length };
};

/** The scenes in the copy, which say what they report instead of writing it into files. */
const scenes = join(scratch, relative(root, tsan.output(...sceneProgram)));
const watched = { ...inCopy, env: { ...env, TSAN_OPTIONS: `${tsan.env.TSAN_OPTIONS}:log_path=stderr` } };

/** By the first key of what the table says: what it is called, how it is built and run, and how its output is counted. */
const kinds = {
  rust: {
    name: ({ rust, test }) => `cargo test ${rust === 'lib' ? '--lib' : `--test ${rust}`} ${test}`,
    build: (red) => runCargo([...rustArgs(red), '--no-run'], inCopy),
    run: (red, limit) => runCargo([...rustArgs(red), '--', red.test], { ...inCopy, ...limit }),
    count: inRust,
  },
  model: {
    name: ({ model }) => `test:loom ${model}`,
    build: () => runCargo([...modelArgs, '--no-run'], withModels),
    run: ({ model }, limit) => runCargo([...modelArgs, '--', model], { ...withModels, ...limit }),
    count: inRust,
  },
  scene: {
    name: ({ scene }) => `proof:tsan ${scene}`,
    build: () => runCargo(['build', ...sceneArgs, ...tsan.buildArgs], { ...inCopy, env: { ...env, ...tsan.buildEnv } }),
    run: ({ scene }, limit) => run(scenes, [scene], { ...watched, ...limit }),
    count: ({ code }) => ({ passed: Number(code === 0), failed: Number(code !== 0) }),
  },
  spec: {
    name: ({ spec, match }) => `ava ${spec} --match '${match}'`,
    build: ensureLibrary,
    run: ({ spec, match }, limit) => runNode(['node_modules/ava/entrypoints/cli.mjs', '--tap', '--match', match, spec], { ...inCopy, ...limit }),
    count: inSpec,
  },
  program: {
    name: ({ program }) => `node ${program}`,
    build: ensureLibrary,
    run: ({ program }, limit) => run(process.execPath, [...header(program).args, program], { ...inCopy, ...limit }),
    count: ({ code }, { program }) => ({ passed: Number(code === header(program).exit), failed: Number(code !== header(program).exit) }),
  },
};

const kindOf = (red) => kinds[Object.keys(red)[0]];

/** What a reader could type. */
export const nameOf = (red) => kindOf(red).name(red);

/** Compiles what a command needs. Gives what the compiler says when it refuses, else null. */
export async function build(red) {
  const { code, stdout, stderr } = await kindOf(red).build(red);
  return code === 0 ? null : `${stdout}${stderr}`.trim();
}

/** Runs a command that was built. What runs longer than `limitMs` is stopped, and hangs: that is red as well. */
export async function runRed(red, limitMs) {
  const ended = await kindOf(red).run(red, { limitMs });
  const { passed, failed } = kindOf(red).count(ended, red);
  const says = `${ended.stdout}${ended.stderr}`.trim();
  const { ms } = ended;
  if (ended.signal === 'SIGKILL') return { verdict: 'red', how: `hangs: stopped after ${seconds(ms)}`, ms, says };
  const end = ended.signal ?? `exit code ${ended.code}`;
  const isProcess = 'program' in red || 'scene' in red; // one that counts no tests
  if (failed > 0) return { verdict: 'red', how: isProcess ? `ended by ${end}` : `${failed} failed`, ms, says };
  if (passed === 0 && ended.code === 0) return { verdict: 'empty', how: 'no test has that name', ms, says };
  if (!isProcess && ended.code !== 0) return { verdict: 'red', how: `ended badly, ${end}`, ms, says };
  return { verdict: 'green', how: `${passed} passed`, ms, says };
}
