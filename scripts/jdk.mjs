// Finds a JDK for benchmark/jvm, and compiles that with it.
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Stop, inRoot, run } from './lib.mjs';
import { install, isOnPath } from './system.mjs';

/** The first one in which java.lang.foreign is no preview. */
export const JDK_MIN = 22;
const POM = inRoot('benchmark', 'jvm', 'pom.xml');
const CLASSES = inRoot('.cache', 'jvm', 'classes');
const exe = process.platform === 'win32' ? '.exe' : '';

/** What a `java` says of itself; null where it cannot be started. */
async function ask(java) {
  try {
    const { code, stderr } = await run(java, ['-XshowSettings:properties', '-version'], { output: 'capture' });
    const property = (name) => new RegExp(`^\\s*${name.replaceAll('.', String.raw`\.`)} = (.+)$`, 'm').exec(stderr)?.[1].trim();
    const version = Number(property('java.specification.version')?.replace(/^1\./, ''));
    return code === 0 && Number.isInteger(version) ? { version, home: property('java.home'), name: `${property('java.vendor')} ${property('java.runtime.version')}` } : null;
  } catch (error) {
    if (error instanceof Stop) return null;
    throw error;
  }
}

/** JAVA_HOME's first, then the ones on PATH. */
function candidates({ JAVA_HOME: home, PATH: path = '' }) {
  const places = path.split(delimiter).filter(Boolean).map((directory) => [join(directory, `java${exe}`), 'on PATH']);
  if (home) places.unshift([join(home, 'bin', `java${exe}`), 'in JAVA_HOME']);
  return places.filter(([java]) => existsSync(java));
}

/** The JDK that is taken: `{ home, version, name }`. */
export async function demandJdk(env = process.env) {
  const seen = [];
  for (const [java, where] of candidates(env)) {
    const found = await ask(java);
    if (found !== null && found.version >= JDK_MIN && existsSync(join(found.home, 'bin', `javac${exe}`))) return found;
    seen.push(found === null ? `one ${where} that does not run` : `${found.version}${found.version >= JDK_MIN ? ' without a compiler' : ''} ${where}`);
  }
  const what = seen.length === 0 ? 'there is none on PATH or in JAVA_HOME' : `there is only Java ${[...new Set(seen)].join(' and ')}`;
  throw new Stop(`npm run bench:jvm needs a JDK of version ${JDK_MIN} or newer, and ${what}: install one, name it by JAVA_HOME=<its folder>, and try again.`);
}

/** Compiles the project; Maven gets what is missing of its dependencies, and writes their paths into a file. Returns the class path. */
export async function compile({ home }, paths) {
  if (!isOnPath('mvn') && !isOnPath('mvn.cmd')) await install('maven');
  const args = ['--batch-mode', '--quiet', '--file', POM, 'compile', 'dependency:build-classpath', `-Dmdep.outputFile=${paths}`];
  const { code, stdout, stderr } = await run('mvn', args, { output: 'capture', env: { JAVA_HOME: home }, shell: process.platform === 'win32' });
  if (code !== 0) throw new Stop(`Maven could not compile benchmark/jvm:\n${stdout}${stderr}`);
  return [CLASSES, readFileSync(paths, 'utf8').trim()].join(delimiter);
}

/** The versions that the project names, by what they are of. */
export function pinned() {
  const text = readFileSync(POM, 'utf8');
  return Object.fromEntries([...text.matchAll(/<(\w+)\.version>([^<]+)</g)].map(([, name, version]) => [name, version]));
}
