// `npm run bench:instructions`: how many instructions one operation of the core executes, by callgrind, beside the figures kept in
// benchmark/instructions.json. `-- --write` keeps what it counts, `-- text` takes the scenes whose names hold the text, `-- --json` ends
// with one line for machines. See benchmark/README.md.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compare, countIn, perOperation, summary, table } from '../benchmark/_instructions.mjs';
import { Stop, cargoEnvironment, inRoot, isEntry, main, root, run, runCargo } from './lib.mjs';
import { install, isOnPath, output } from './system.mjs';

const USAGE = 'Usage: npm run bench:instructions [-- --write --json text]';
const KEPT = inRoot('benchmark', 'instructions.json');
const OUT = join('.cache', 'instructions');
/** Of the folder that the program runs in, so that its path is as long on every machine. */
const PROGRAM = join('target', 'release', 'instructions');
/** Callgrind counts while the program is in this function, and writes a file each time it leaves it. */
const COUNTED = 'instructions::counted';
/** Two scenes of the program; the second one executes six percent more instructions. */
const ALARM = ['alarm', 'alarm, planted growth'];

function parse(args) {
  const options = { isWriting: args.includes('--write'), json: args.includes('--json'), filter: '' };
  const rest = args.filter((arg) => arg !== '--write' && arg !== '--json');
  if (rest.length > 1 || rest[0]?.startsWith('-')) throw new Stop(USAGE);
  return { ...options, filter: rest[0] ?? '' };
}

async function prepare() {
  if (process.platform !== 'linux') throw new Stop('npm run bench:instructions needs Linux, because the figures are counted by callgrind and kept for Linux.');
  if (!isOnPath('valgrind')) await install('valgrind');
  // As the addon is built; flags of the caller's would make other code.
  const args = ['build', '--profile', 'bench', '-p', 'offheap-bench', '--bin', 'instructions', '--target-dir', 'target'];
  const { code } = await runCargo(args, { env: { RUSTFLAGS: '' } });
  if (code !== 0) throw new Stop('What is to be counted could not be built: the compiler says above why.');
}

/** A scene under callgrind. The environment is empty, since the stack begins behind it. */
async function count(scene, index) {
  const file = join(OUT, String(index));
  const options = ['--tool=callgrind', `--callgrind-out-file=${file}`, `--toggle-collect=${COUNTED}`, `--dump-after=${COUNTED}`];
  const { code, stdout, stderr } = await run('env', ['-i', `PATH=${process.env.PATH}`, 'valgrind', ...options, `./${PROGRAM}`, scene], { output: 'capture' });
  const [, operations, vectors] = /^(\d+) operations, (\S+) vectors$/m.exec(stdout) ?? [];
  if (code !== 0 || operations === undefined) throw new Stop(`The scene '${scene}' did not end well (exit code ${code}): ${stderr.trim()}`);
  const parts = [1, 2].map((part) => inRoot(`${file}.${part}`));
  if (!parts.every((part) => existsSync(part))) throw new Stop(`callgrind did not count '${scene}': it knows no function ${COUNTED}.`);
  const [once, twice] = parts.map((part) => countIn(readFileSync(part, 'utf8'), part));
  return { instructions: perOperation({ operations: Number(operations), once, twice }), vectors };
}

/** All scenes, two at a time, as there are that many processors everywhere; what else the machine does changes no count. */
async function countAll(scenes) {
  rmSync(inRoot(OUT), { recursive: true, force: true });
  mkdirSync(inRoot(OUT), { recursive: true });
  const counts = [];
  const left = [...scenes.entries()];
  const some = async () => {
    while (left.length > 0) {
      const [index, scene] = left.shift();
      counts[index] = await count(scene, index);
    }
  };
  await Promise.all([some(), some()]);
  return counts;
}

/** What the figures depend on, beside the sources. */
async function madeWith(vectors) {
  const { stdout } = await run('rustc', ['-vV'], { output: 'capture', env: cargoEnvironment() });
  const { glibcVersionRuntime } = process.report.getReport().header;
  return {
    rustc: `rustc ${/^release: (.+)$/m.exec(stdout)?.[1]}`,
    target: /^host: (.+)$/m.exec(stdout)?.[1],
    libc: glibcVersionRuntime === undefined ? 'another libc' : `glibc ${glibcVersionRuntime}`,
    vectors,
    valgrind: (await output('valgrind', ['--version'])).trim(),
  };
}

/** The alarm is tested first: a growth that is known to be there must be found. */
function testAlarm(made, [plain, grown]) {
  const figures = (instructions) => ({ made, instructions: { alarm: instructions } });
  if (compare(figures(plain), figures(grown)).isGood || !compare(figures(plain), figures(plain)).isGood) {
    throw new Stop(`The alarm is broken: ${plain} and ${grown} instructions should differ by six percent, so it proves nothing.`);
  }
}

const keptFigures = () => (existsSync(KEPT) ? JSON.parse(readFileSync(KEPT, 'utf8')) : { made: null, instructions: {} });

function write(now, isPart) {
  const before = isPart ? keptFigures().instructions : {};
  writeFileSync(KEPT, `${JSON.stringify({ made: now.made, instructions: { ...before, ...now.instructions } }, null, 2)}\n`);
}

export async function countInstructions(filter) {
  await prepare();
  const names = (await output(join(root, PROGRAM), [])).trimEnd().split('\n').filter((name) => name.includes(filter));
  if (names.length === 0) throw new Stop(`No scene holds '${filter}'. ${USAGE}`);
  const counts = await countAll([...ALARM, ...names]);
  const made = await madeWith(counts[0].vectors);
  const figures = counts.map(({ instructions }) => instructions);
  testAlarm(made, figures);
  return { made, instructions: Object.fromEntries(names.map((name, index) => [name, figures[index + ALARM.length]])) };
}

if (isEntry(import.meta.url)) await main(async (args) => {
  const { isWriting, json, filter } = parse(args);
  const now = await countInstructions(filter);
  const isPart = filter !== '';
  const compared = compare(keptFigures(), now, isPart);
  if (isWriting) write(now, isPart);
  console.log(`Instructions of one operation, ${Object.values(now.made).join(', ')}\n\n${table(compared.rows)}\n\n${summary(compared).join('\n')}`);
  if (isWriting) console.log('Written to benchmark/instructions.json.');
  if (json) console.log(JSON.stringify({ made: now.made, rows: compared.rows, differs: compared.differs }));
  return isWriting || compared.isGood;
});
