// What the arm64 rung is built and run with: a C compiler for linking, a C library, the compiler's `std`, an emulator. What is
// missing is installed where apt and rustup can; elsewhere one sentence says what to install.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stop, cargoEnvironment, inRoot, run } from '../lib.mjs';
import { install, isOnPath, output } from '../system.mjs';

export const TARGET = 'aarch64-unknown-linux-gnu';
const LINKER = 'aarch64-linux-gnu-gcc';
const EMULATOR = 'qemu-aarch64';
/** Where Debian's cross packages put the target's C library. */
export const SYSROOT = '/usr/aarch64-linux-gnu';
/** Older ones walk over every page of a reserved range: tests that reserve 64 TiB never end, and take all memory. */
const EMULATOR_MAJOR = 8;
const OWN = inRoot('.cache', 'proof', 'emulator');

async function demandLinker() {
  if (!isOnPath(LINKER)) await install('gcc-aarch64-linux-gnu');
  // The compiler brings the library to run with, and not what programs are linked with.
  if (!existsSync(join(SYSROOT, 'lib', 'Scrt1.o'))) await install('libc6-dev-arm64-cross');
}

async function demandStd() {
  const { stdout } = await run('rustc', ['--print', 'target-libdir', '--target', TARGET], { output: 'capture', env: cargoEnvironment() });
  const has = () => existsSync(stdout.trim()) && readdirSync(stdout.trim()).some((name) => name.startsWith('libstd-'));
  if (has()) return;
  await output('rustup', ['target', 'add', TARGET], { env: cargoEnvironment(), limitMs: 10 * 60_000 });
  if (!has()) throw new Stop(`Rust's standard library for ${TARGET} is missing: run \`rustup target add ${TARGET}\` and try again.`);
}

/** The major version of an emulator, 0 where there is none. */
async function majorOf(emulator) {
  return Number(/version (\d+)/.exec(await output(emulator, ['--version']))?.[1] ?? 0);
}

/** Of Debian's backports for this release, unpacked into a folder of our own: the system's package sources stay as they are. */
async function fetchEmulator() {
  rmSync(OWN, { recursive: true, force: true });
  for (const folder of ['lists/partial', 'archives/partial']) mkdirSync(join(OWN, folder), { recursive: true });
  const sources = await output('apt-get', ['indextargets', '--format', '$(REPO_URI) $(CODENAME)', 'Created-By: Packages', 'Component: main']);
  const [, uri, release] = /^(\S+\/debian\/?) ([a-z]+)$/m.exec(sources) ?? [];
  if (uri === undefined) return;
  writeFileSync(join(OWN, 'sources.list'), `deb ${uri} ${release}-backports main\n`);
  const options = [`Dir::Etc::sourcelist=${join(OWN, 'sources.list')}`, 'Dir::Etc::sourceparts=-', `Dir::State::lists=${join(OWN, 'lists')}`, `Dir::Cache::archives=${join(OWN, 'archives')}`, 'APT::Sandbox::User=root'];
  const args = options.flatMap((option) => ['-o', option]);
  await output('apt-get', [...args, 'update', '-q']);
  await output('apt-get', [...args, 'download', 'qemu-user'], { cwd: OWN });
  const archive = readdirSync(OWN).find((name) => name.endsWith('.deb'));
  if (archive !== undefined) await output('dpkg', ['-x', join(OWN, archive), OWN]);
}

async function demandEmulator() {
  const own = join(OWN, 'usr', 'bin', EMULATOR);
  const find = async () => {
    for (const emulator of [EMULATOR, own]) if ((await majorOf(emulator)) >= EMULATOR_MAJOR) return emulator;
    return undefined;
  };
  const wanted = `${EMULATOR} of version ${EMULATOR_MAJOR} or newer is missing: install qemu-user, on older releases of Debian from their backports, and try again.`;
  let found = await find();
  if (found === undefined && !isOnPath('apt-get')) throw new Stop(wanted);
  if (found === undefined && !isOnPath(EMULATOR) && process.getuid() === 0) {
    await install('qemu-user');
    found = await find();
  }
  if (found === undefined) {
    await fetchEmulator();
    found = await find();
  }
  if (found === undefined) throw new Stop(wanted);
  return found;
}

/** Sees to it that all is there. Returns the emulator. */
export async function demandTools() {
  await demandLinker();
  await demandStd();
  return demandEmulator();
}

export const linkerEnv = { CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER: LINKER };
