// Programs: one scene each, run as a child process. Its first lines say what it does, and how it must end:
//   // What is done, and what must come of it.
//   // expect: exit=0 code=ERR_OUT_OF_RANGE,ERR_INVALID_ARG_TYPE stderr=some text       (code=none: nothing is refused)
//   // expect from 24: exit=0 code=ERR_OFFHEAP_IN_USE                                   (instead, from that Node version on)
//   // message: all of what one of its errors says; … is what may differ              (also: message from 24)
//   // node: --expose-gc                                                               (also: node from 24)
//   // env: NAME=value
//   // shell: ulimit -v 6000000
// None may end by a signal. Files that begin with an underscore are shared by the programs.
import test from 'ava';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const TIMEOUT_MS = 100_000;
const PARALLEL = 2;
const node = Number(process.versions.node.split('.')[0]);

interface Expected {
  readonly exit: number;
  readonly codes: string[];
  readonly message: RegExp | undefined;
  readonly stderr: string | undefined;
}

export interface Program {
  readonly folder: string;
  readonly name: string;
  readonly text: string;
  readonly expected: Expected;
  readonly nodeArguments: string[];
  readonly env: { readonly [name: string]: string };
  readonly shell: string | undefined;
}

export interface Folder {
  /** Where the programs stand. */
  readonly url: URL;
  /** Programs that must be there: a folder that was not picked up must be red. */
  readonly least: number;
  readonly linesMax: number;
  /** Programs that must demand a message, of an error or on stderr, beside their exit code and error codes. */
  readonly leastMessages?: number;
  /** Files that are run otherwise. */
  readonly except?: readonly string[];
}

function header(text: string, key: string): string | undefined {
  return new RegExp(`^// ${key}: (.+)$`, 'm').exec(text)?.[1];
}

/** The whole message, in which `…` stands for what may differ: an id, an address, what the system has left. */
function messagePattern(text: string): RegExp {
  const literal = text.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${literal.join('.*')}$`, 's');
}

/** A header's line for this Node version. */
function headerNow(text: string, key: string): string | undefined {
  let line = header(text, key);
  for (const [, from = '', other] of text.matchAll(new RegExp(`^// ${key} from (\\d+): (.+)$`, 'gm'))) if (node >= Number(from)) line = other;
  return line;
}

function readExpected(name: string, text: string): Expected {
  const line = headerNow(text, 'expect');
  const found = /^exit=(\d+) code=([A-Z_,]+|none)(?: stderr=(.+))?$/.exec(line ?? '');
  if (found === null) throw new Error(`${name} has no line "// expect: exit=… code=…" that can be read`);
  const [, exit, codes = '', stderr] = found;
  const message = headerNow(text, 'message');
  return {
    exit: Number(exit),
    codes: codes === 'none' ? [] : codes.split(',').toSorted(),
    message: message === undefined ? undefined : messagePattern(message),
    stderr,
  };
}

/** One program of a folder, as its first lines describe it. */
export function readProgram(folder: string, name: string): Program {
  const text = readFileSync(`${folder}${name}`, 'utf8');
  const [variable, value] = header(text, 'env')?.split('=') ?? [];
  return {
    folder,
    name,
    text,
    expected: readExpected(name, text),
    nodeArguments: headerNow(text, 'node')?.split(' ') ?? [],
    env: variable === undefined ? {} : { [variable]: value ?? '' },
    shell: header(text, 'shell'),
  };
}

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program with a clean environment; under a shell's limits when its header asks for them. */
async function run(program: Program, args: readonly string[]): Promise<Ended> {
  const env: { [name: string]: string | undefined } = { ...process.env, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1' };
  for (const name of Object.keys(env)) if (name.startsWith('OFFHEAP_')) delete env[name];
  // Under a shell's limits there is no room for a sanitizer (scripts/proof): such a program runs as users run it.
  if (program.shell !== undefined) for (const name of ['LD_PRELOAD', 'NAPI_RS_NATIVE_LIBRARY_PATH']) delete env[name];
  Object.assign(env, program.env);
  const command = [process.execPath, ...program.nodeArguments, program.name, ...args];
  const [file = '', ...rest] = program.shell === undefined ? command : ['bash', '-c', `${program.shell} && exec "$@"`, 'bash', ...command];
  const child = spawn(file, rest, { cwd: program.folder, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

const waiting: (() => void)[] = [];
let running = 0;

/** At most {@link PARALLEL} at once: some measure memory, and machines have few cores. */
export async function runInTurn(program: Program, ...args: string[]): Promise<Ended> {
  if (running >= PARALLEL) await new Promise<void>((resolve) => waiting.push(resolve));
  else running += 1;
  try {
    return await run(program, args);
  } finally {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}

function classOf(code: string): string {
  if (code === 'ERR_OUT_OF_RANGE') return 'RangeError';
  return code.startsWith('ERR_OFFHEAP_') ? 'OffHeapError' : 'TypeError';
}

export interface Report {
  readonly codes?: string[];
  readonly classes?: string[];
  readonly messages?: string[];
  readonly refused?: number;
  readonly bystanders?: string;
  readonly stats?: string;
  readonly calls?: number;
}

/** The line of JSON that a program prints when it found all as it should be. */
export function reportOf(stdout: string): Report {
  const line = stdout.split('\n').findLast((text) => text.startsWith('{'));
  return line === undefined ? {} : (JSON.parse(line) as Report);
}

/** Whether a program looks after bystanders, itself or through a scene that it shares with others. */
function hasBystanders(folder: string, text: string): boolean {
  if (text.includes('_expect.mjs')) return true;
  return [...text.matchAll(/from '\.\/(_[\w-]+\.mjs)'/g)].some(([, name = '']) => hasBystanders(folder, readFileSync(`${folder}${name}`, 'utf8')));
}

/** A test for each program of a folder, and two that see to it that each was found and run. */
export function testPrograms({ url, least, linesMax, leastMessages = 0, except = [] }: Folder): Program[] {
  const folder = fileURLToPath(url);
  const programs = readdirSync(folder)
    .filter((name) => /^[a-z].*\.mjs$/.test(name) && !except.includes(name))
    .toSorted()
    .map((name) => readProgram(folder, name));
  let ran = 0;
  for (const program of programs) {
    const { name, text, expected } = program;
    test(name.replace('.mjs', '').replaceAll('-', ' '), async (t) => {
      t.timeout(2 * TIMEOUT_MS * programs.length, 'waits its turn');
      t.true(text.trimEnd().split('\n').length <= linesMax, `at most ${linesMax} lines`);
      const { code, signal, stdout, stderr } = await runInTurn(program);
      ran += 1;
      t.is(signal, null, stderr);
      t.is(code, expected.exit, stderr);
      const { codes = [], classes = [], messages = [], refused = 0, bystanders, stats } = reportOf(stdout);
      t.deepEqual(codes.toSorted(), expected.codes, stderr);
      t.deepEqual(classes.toSorted(), [...new Set(expected.codes.map(classOf))].toSorted());
      t.is(refused > 0, expected.codes.length > 0);
      const { message } = expected;
      if (message !== undefined && expected.codes.length > 0) t.true(messages.some((each) => message.test(each)), `no error says ${message.source}; these were seen:\n${messages.join('\n')}`);
      if (hasBystanders(folder, text)) t.is(bystanders, 'intact', stdout);
      t.is(stats, text.includes("stats: 'none'") ? 'none' : 'exact', stdout);
      if (expected.stderr === undefined) t.is(stderr, '');
      else t.true(stderr.includes(expected.stderr), stderr);
    });
  }
  test('every program of the folder was picked up', (t) => {
    t.true(programs.length >= least, `${programs.length} programs, at least ${least} must be there`);
    t.is(new Set(programs.map(({ name }) => name)).size, programs.length);
    const demanding = programs.filter(({ expected: { codes, message, stderr } }) => stderr !== undefined || (codes.length > 0 && message !== undefined));
    t.true(demanding.length >= leastMessages, `${demanding.length} programs demand a message, at least ${leastMessages} must`);
  });
  test.after.always('every program was run', (t) => {
    t.is(ran, programs.length);
  });
  return programs;
}
