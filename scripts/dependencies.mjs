// Every dependency, npm, cargo and Maven, development included, has a row with its reason in CONTRIBUTING.md,
// every row a dependency, and the published package asks for nothing but its own platform packages.
// And the lock files are whole: `npm ci` refuses one that lacks the packages of other platforms.
import { readFileSync, readdirSync } from 'node:fs';
import { inRoot } from './lib.mjs';

const page = 'CONTRIBUTING.md';
/** Where manifests of npm packages stand: the library's, and that of the benchmark's compiled peers. */
const MANIFESTS = [[], ['benchmark', 'peers']];
/** The Maven project of the benchmark's peers of the JVM. */
const POM = ['benchmark', 'jvm', 'pom.xml'];
const table = () => readFileSync(inRoot(page), 'utf8').split(/^## Dependencies/m)[1] ?? '';

function npmDependencies({ devDependencies = {}, dependencies = {}, peerDependencies = {} }) {
  return Object.keys({ ...devDependencies, ...dependencies, ...peerDependencies });
}

/** Names in the dependency tables of every crate's manifest, without our own crates. */
function cargoDependencies() {
  const names = readdirSync(inRoot('crates')).flatMap((crate) => {
    const sections = readFileSync(inRoot('crates', crate, 'Cargo.toml'), 'utf8').split(/^\[/m);
    return sections.filter((section) => /^[^\]]*dependencies\]/.test(section))
      .flatMap((section) => [...section.replace(/^[^\]]*\]/, '').matchAll(/^([\w-]+)\s*[=.]/gm)].map(([, name]) => name));
  });
  return names.filter((name) => !name.startsWith('offheap-'));
}

/** `group:artifact` of dependencies, plugins and annotation processors of the one Maven project. */
function mavenDependencies() {
  const text = readFileSync(inRoot(...POM), 'utf8');
  const named = [...text.matchAll(/<(?:dependency|plugin|path)>\s*<groupId>([^<]+)<\/groupId>\s*<artifactId>([^<]+)<\/artifactId>\s*(<version>[^<]+<\/version>)?/g)];
  return named.map(([, group, artifact, version]) => ({ name: `${group}:${artifact}`, isPinned: version !== undefined }));
}

/** Platform packages that npm left out of a lock file, as it does when its registry does not answer for them. */
function missingFromLock(place) {
  const { packages } = JSON.parse(readFileSync(inRoot(...place, 'package-lock.json'), 'utf8'));
  const wanted = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).map((name) => ({ path, name })));
  return wanted.filter(({ path, name }) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`]);
}

/** What is wrong with one manifest and its lock file, beside the reasons. */
function manifestBreaches(place, { devDependencies = {}, dependencies = {} }) {
  const at = (name) => [...place, name].join('/');
  const missing = missingFromLock(place).map(({ name }) => name);
  const loose = Object.entries(devDependencies).filter(([, version]) => !/^(?:npm:.+@)?\d+\.\d+\.\d+$/.test(version));
  return [
    ...(missing.length > 0 ? [`${at('package-lock.json')}: lacks ${missing.length} optional packages of other platforms (${missing[0]}, …), so npm ci refuses it; make it again where the registry has them`] : []),
    ...loose.map(([name, version]) => `${at('package.json')}: ${name} ${version} is not one version; pin it`),
    ...Object.keys(dependencies).map((name) => `${at('package.json')}: ${name} is a runtime dependency; the library has none`),
  ];
}

export function dependencyBreaches() {
  const manifests = MANIFESTS.map((place) => ({ place, manifest: JSON.parse(readFileSync(inRoot(...place, 'package.json'), 'utf8')) }));
  const maven = mavenDependencies();
  const present = new Set([...manifests.flatMap(({ manifest }) => npmDependencies(manifest)), ...cargoDependencies(), ...maven.map(({ name }) => name)]);
  const explained = new Set([...table().matchAll(/^\| `([^`]+)`.*\| \S/gm)].map(([, name]) => name));
  return [
    ...manifests.flatMap(({ place, manifest }) => manifestBreaches(place, manifest)),
    ...maven.filter(({ isPinned }) => !isPinned).map(({ name }) => `${POM.join('/')}: ${name} has no version right behind its name, so that it may be another tomorrow`),
    ...[...present].filter((name) => !explained.has(name)).map((name) => `${page}: no reason for ${name}; add a row, or do without it`),
    ...[...explained].filter((name) => !present.has(name)).map((name) => `${page}: a row for ${name}, which is no dependency any more; delete it`),
  ];
}
