// The demo: its report, its exit code, and that its checks can fail. Scenes are handed a file that does not agree with
// its hash, or a ledger that does not do as it is told, and must say so.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { DirectMemoryManager } from 'offheap';
import type { MemoryBlock } from 'offheap';
import { largeFile, readInput } from '../examples/demo/input.mjs';
import { Ledger } from '../examples/demo/ledger.mjs';
import { runScene } from '../examples/demo/main.mjs';
import { Printer, bytesText, nsText } from '../examples/demo/printer.mjs';
import { scenes } from '../examples/demo/scenes/index.mjs';
import type { Input, Report, Scene } from '../examples/demo/types.js';

const NAMES = [
  'basic operations', 'alignment', 'direct i/o', 'manipulation', 'reallocation', 'buffer integration', 'leak detection', 'memory pool', 'allocators', 'workers', 'safety',
  'speed', 'statistics',
];

const folder = mkdtempSync(join(tmpdir(), 'offheap-demo-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

/** A file of two MiB and a bit, no two neighbouring pages alike. */
function someInput(): Input {
  const path = join(folder, 'input.bin');
  writeFileSync(path, Buffer.from(Uint32Array.from({ length: (1 << 19) + 19 }, (_, index) => Math.imul(index, 0x9e3779b1) >>> 0).buffer));
  return readInput(path);
}
const input = someInput();

/** Runs a program of Node's to its end; without what ava has put into the environment for its own workers. */
async function runToEnd(...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '', OFFHEAP_SKIP_BUILD: '1' } });
  const code = new Promise((resolve) => child.on('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

const moduleUrl = (path: string): string => JSON.stringify(new URL(`../examples/demo/${path}`, import.meta.url).href);

function sceneNamed(name: string): Scene {
  const found = scenes.find((scene) => scene.name === name);
  if (found === undefined) throw new Error(`no scene is named ${name}`);
  return found;
}

/** A stream that keeps what is written; a terminal with colours if asked. */
function capture(isTTY = false): { stream: ConstructorParameters<typeof Printer>[0]; written: string[] } {
  const written: string[] = [];
  const stream = { isTTY, hasColors: () => true, write: (line: string | Uint8Array) => written.push(String(line)) > 0 };
  return { stream, written };
}

test('--json: exit code 0 and, as the last line of stdout, a report in which every scene is right', async (t) => {
  const { code, stdout, stderr } = await runToEnd(fileURLToPath(new URL('../scripts/demo.mjs', import.meta.url)), '--json');
  t.is(code, 0, stderr);
  const lines = stdout.trimEnd().split('\n');
  t.is(lines.length, 1, 'stdout carries the report alone');
  const report = JSON.parse(lines.at(-1) ?? '') as Report;
  t.deepEqual(Object.keys(report), ['ok', 'scenes']);
  t.true(report.ok);
  t.deepEqual(report.scenes.map(({ name }) => name), NAMES);
  for (const scene of report.scenes) {
    t.deepEqual(Object.keys(scene), ['name', 'ok', 'checks', 'ms', 'facts']);
    t.true(scene.ok);
    t.true(scene.checks.length >= 3, scene.name);
    for (const { name, ...rest } of scene.checks) {
      t.deepEqual(rest, { ok: true });
      t.true(name.length <= 58, `too long for its column: ${name}`);
    }
    t.true(scene.ms > 0);
  }
  const facts = Object.fromEntries(report.scenes.map((scene) => [scene.name, scene.facts]));
  t.is(typeof facts['direct i/o']?.o_direct, 'boolean');
  t.regex(String(facts['direct i/o']?.sha256), /^[0-9a-f]{64}$/);
  for (const table of [facts['allocators']?.stats, facts['allocators']?.pairNs]) t.deepEqual(Object.keys(table ?? {}), ['buddy', 'slab', 'arena', 'ring', 'pool', 'hybrid']);
  t.deepEqual(Object.keys(facts.speed?.allocateAndFreeNs ?? {}), ['64', '1024', '65536', '1048576']);

  for (const line of stderr.split('\n')) t.true([...line].length <= 100, `${[...line].length} columns: ${line}`);
  t.false(stderr.includes('\u001B'), 'no colours where there is no terminal');
  t.regex(stderr, /All \d+ checks passed in [\d.]+ s/);
});

test('a wrong hash of the file: ok is false in the report, and the exit code is 1', async (t) => {
  const program = `
    import { demo } from ${moduleUrl('main.mjs')};
    import { readInput } from ${moduleUrl('input.mjs')};
    import { directIo } from ${moduleUrl('scenes/direct-io.mjs')};
    import { statistics } from ${moduleUrl('scenes/statistics.mjs')};
    const input = { ...readInput(${JSON.stringify(input.path)}), sha256: '0'.repeat(64) };
    await demo({ json: true, input, scenes: [directIo, statistics] });`;
  const { code, stdout, stderr } = await runToEnd('--input-type=module', '--eval', program);
  t.is(code, 1, stderr);
  const report = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Report;
  t.false(report.ok);
  t.deepEqual(report.scenes.map(({ ok }) => ok), [false, true], 'the scene with the fault, and no other');
  const failed = report.scenes.flatMap(({ checks }) => checks).filter(({ ok }) => !ok);
  t.deepEqual(failed.map(({ expected, actual }) => [expected, actual]), [[`'${'0'.repeat(64)}'`, `'${input.sha256}'`]]);
  t.regex(stderr, /✗ their SHA-256[^]*1 of \d+ checks failed/);
});

test('an argument that it does not know: one sentence, exit code 1', async (t) => {
  const { code, stdout, stderr } = await runToEnd(fileURLToPath(new URL('../scripts/demo.mjs', import.meta.url)), '--jsn');
  t.deepEqual({ code, stdout, stderr }, { code: 1, stdout: '', stderr: 'Usage: npm run demo [-- --json]\n' });
});

/** The file as a scene loads it and, from the second look on, with one bit turned over at `index`. */
function changing(index: number): Input {
  const changed = Buffer.from(input.bytes);
  changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
  let looks = 0;
  return {
    ...input,
    get bytes() {
      looks += 1;
      return looks > 2 ? changed : input.bytes; // the first look is at the length
    },
  };
}

/** A ledger that gets one thing wrong. */
const wrongLedgers: { [name: string]: () => Ledger } = {
  'gives other alignments': () => new (class extends Ledger {
    override allocate(...[size, , options]: Parameters<Ledger['allocate']>): MemoryBlock {
      return super.allocate(size, 'none', options);
    }
  })(),
  'drops labels': () => new (class extends Ledger {
    override allocate(...[size, alignment]: Parameters<Ledger['allocate']>): MemoryBlock {
      return super.allocate(size, alignment);
    }
  })(),
  'does not free': () => new (class extends Ledger {
    override free(): void {}
  })(),
  'loses a byte on the way': () => new (class extends Ledger {
    override reallocate(block: MemoryBlock, size: number): MemoryBlock {
      const moved = super.reallocate(block, size);
      moved.setUint8(7, moved.getUint8(7) + 1);
      return moved;
    }
  })(),
  'opens allocators that grant a range twice': () => new (class extends Ledger {
    override open(...args: Parameters<Ledger['open']>): ReturnType<Ledger['open']> {
      const allocator = super.open(...args);
      const allocate = allocator.allocate.bind(allocator);
      let last = allocate(1);
      return Object.assign(allocator, {
        allocate: (size: number) => (last = last.isValid() && last.size >= size ? last : allocate(size)),
      });
    }
  })(),
  'opens allocators that free nothing': () => new (class extends Ledger {
    override open(...args: Parameters<Ledger['open']>): ReturnType<Ledger['open']> {
      return Object.assign(super.open(...args), { free: () => undefined });
    }
  })(),
  'opens allocators that reset nothing': () => new (class extends Ledger {
    override open(...args: Parameters<Ledger['open']>): ReturnType<Ledger['open']> {
      return Object.assign(super.open(...args), { reset: () => undefined, rewind: () => undefined });
    }
  })(),
  'opens allocators that refuse when full': () => new (class extends Ledger {
    override open(...[name, type, total, alignment]: Parameters<Ledger['open']>): ReturnType<Ledger['open']> {
      return super.open(name, type, total, alignment);
    }
  })(),
  'does not close': () => new (class extends Ledger {
    override close(): void {}
  })(),
  'releases late': () => new (class extends Ledger {
    override release(_: unknown, block: MemoryBlock): void {
      super.left(block);
      setTimeout(() => block.free(), 10);
    }
  })(),
  'books a byte too many': () => Object.assign(new Ledger(), { allocated: 1, freed: 1 }),
  'forgets to book a free': () => Object.assign(new Ledger(), { allocated: 1 }),
};

const faults: [string, { ledger?: string; input?: Input }, RegExp][] = [
  ['basic operations', { ledger: 'drops labels' }, /with its label/],
  ['basic operations', { ledger: 'does not free' }, /none of the three is valid/],
  ['alignment', { ledger: 'gives other alignments' }, /'page'/],
  ['direct i/o', { input: { ...input, sha256: input.sha256.replace(/./, 'g') } }, /SHA-256/],
  ['direct i/o', { input: { ...input, bytes: input.bytes.subarray(1) } }, /reads straight into them/],
  ['manipulation', { input: changing(input.bytes.length - 1) }, /copy NORMAL/],
  ['reallocation', { ledger: 'loses a byte on the way' }, /contents, alignment, label kept/],
  ['buffer integration', { input: changing(input.bytes.length - 1) }, /read ends in the block|fs\.readSync/],
  ['leak detection', { ledger: 'drops labels' }, /its label, size and address/],
  ['leak detection', { ledger: 'does not free' }, /gone from the report/],
  ['memory pool', { input: changing(input.bytes.length - 1) }, /hold their bytes/],
  ['memory pool', { ledger: 'releases late' }, /all came back/],
  ['allocators', { ledger: 'opens allocators that grant a range twice' }, /hold their bytes/],
  ['allocators', { ledger: 'opens allocators that free nothing' }, /one block again/],
  ['allocators', { ledger: 'opens allocators that reset nothing' }, /rewind takes back/],
  ['allocators', { ledger: 'opens allocators that refuse when full' }, /ran to its end/],
  ['allocators', { ledger: 'does not close' }, /the allocator is dead/],
  ['safety', { ledger: 'does not free' }, /free a|free twice/],
  ['safety', { ledger: 'forgets to book a free' }, /1 MiB where setLimit|asked and what is left|totals/],
  ['statistics', { ledger: 'books a byte too many' }, /ever allocated/],
  ['statistics', { ledger: 'does not free' }, /allocated now/],
];

for (const [name, fault, check] of faults) {
  const what = fault.ledger === undefined ? 'a file that is not what it was' : `a ledger that ${fault.ledger}`;
  test.serial(`${name}: ${what} is noticed (${check.source})`, async (t) => {
    const { stream, written } = capture();
    const makeLedger = wrongLedgers[fault.ledger ?? ''] ?? (() => new Ledger());
    const ledger = makeLedger();
    const report = await runScene(sceneNamed(name), { input: fault.input ?? input, ledger, printer: new Printer(stream) });
    DirectMemoryManager.freeAllMemory();
    for (const allocator of ledger.regions) allocator.close();
    t.false(report.ok);
    const failed = report.checks.filter(({ ok }) => !ok);
    t.true(failed.some((each) => check.test(each.name)), failed.map((each) => each.name).join('; '));
    t.true(failed.every((each) => each.expected !== undefined && each.actual !== undefined));
    t.true(written.some((line) => line.includes('✗')));
  });
}

test.serial('the same scenes on the same file without a fault are all right', async (t) => {
  const ledger = new Ledger();
  const { stream, written } = capture();
  for (const name of NAMES.filter((each) => each !== 'speed')) {
    const { ok } = await runScene(sceneNamed(name), { input, ledger, printer: new Printer(stream) });
    t.true(ok, written.filter((line) => /✗|expected/.test(line)).join(''));
  }
  t.is(ledger.current, 0);
});

const broken: Scene = {
  name: 'broken',
  about: '',
  run({ ledger }) {
    ledger.allocate(100);
    throw new TypeError('lost');
  },
};

test.serial('a scene that throws is a failed check, and what it left allocated is freed', async (t) => {
  const ledger = new Ledger();
  const report = await runScene(broken, { input, ledger, printer: new Printer(capture().stream) });
  t.deepEqual(report.checks.map(({ name, ok }) => [name, ok]), [['the scene ran to its end', false]]);
  t.regex(report.checks[0]?.actual ?? '', /TypeError: lost/);
  t.deepEqual([ledger.current, ledger.live.size, DirectMemoryManager.getMemoryStats().activeBlocks], [0, 0, 0]);
});

function print(isTTY: boolean): string {
  const { stream, written } = capture(isTTY);
  new Printer(stream).row({ name: 'a row', ok: true }, { bytes: 1536, ms: 1 });
  return written.join('');
}

test.serial('colours on a terminal only, and not under NO_COLOR', (t) => {
  const before = process.env.NO_COLOR;
  delete process.env.NO_COLOR;
  t.true(print(true).includes('\u001B[32m✓'));
  t.false(print(false).includes('\u001B'));
  process.env.NO_COLOR = '1';
  t.false(print(true).includes('\u001B'));
  if (before === undefined) delete process.env.NO_COLOR;
  else process.env.NO_COLOR = before;
});

test('sizes and times read well, and the input is a large file also where Node is a small program', (t) => {
  t.deepEqual([0, 1023, 1024, 1536, 94.35 * 2 ** 20, 3 * 2 ** 30].map(bytesText), ['0 B', '1023 B', '1 KiB', '1.5 KiB', '94.3 MiB', '3 GiB']);
  t.deepEqual([1.25, 99.6, 4321, 12_345, 123_456].map(nsText), ['1.3 ns', '100 ns', '4,321 ns', '12.3 µs', '123 µs']);
  t.is(largeFile(), readInput(largeFile()).path);
  const small = fileURLToPath(new URL('../package.json', import.meta.url));
  t.not(largeFile(small), small);
});
