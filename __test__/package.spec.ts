// Properties of the package as npm installs it (a copy of the built files in a folder of its own):
// - `import` and `require` give the same classes and one state, and importing allocates nothing
// - a second copy in the same process hands out the first one's classes, and loads no addon; a copy of another major version warns once
// - without an addon everything can be imported; isAvailable() is false with a reason, and every use explains itself
// - importing makes Node load no module but those of its own that it always has, except what `AbortSignal` needs
// - the package offers what its front page names, and no more; its declarations are where `types` says
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const root = fileURLToPath(new URL('..', import.meta.url));
const room = mkdtempSync(join(tmpdir(), 'offheap-package-'));
const at = (project: string, ...path: string[]): string => join(room, project, 'node_modules', 'offheap', ...path);

/** Installs a copy of the package in a project of its own; without its addon if so asked. */
function install(project: string, { addon = true }: { readonly addon?: boolean } = {}): void {
  mkdirSync(at(project), { recursive: true });
  cpSync(join(root, 'package.json'), at(project, 'package.json'));
  cpSync(join(room, 'dist'), at(project, 'dist'), { recursive: true });
  for (const name of readdirSync(join(root, 'native'))) {
    if (addon || !name.endsWith('.node')) cpSync(join(root, 'native', name), at(project, 'native', name));
  }
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program that lies in a project. */
function run(project: string, name: string, program: string): Ended {
  const path = join(room, project, name);
  writeFileSync(path, program);
  const { status, stdout, stderr } = spawnSync(process.execPath, [path], { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' }, timeout: 60_000 });
  return { status, stdout: stdout.trim(), stderr };
}

test.before('build and install', () => {
  execFileSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(root, 'tsconfig.json'), '--outDir', join(room, 'dist')]);
  install('app');
  install('second');
  install('bare', { addon: false });
});

test.after.always('clean up', () => rmSync(room, { recursive: true, force: true }));

test('import and require give the same classes and one state', (t) => {
  const program = `
    import { createRequire } from 'node:module';
    import * as imported from 'offheap';
    const required = createRequire(import.meta.url)('offheap');
    const block = imported.DirectMemoryManager.allocateMemory(100);
    block.fill(7);
    console.log(JSON.stringify({
      names: Object.keys(imported).filter((name) => name !== 'module.exports').sort(),
      same: Object.keys(imported).every((name) => imported[name] === required[name]),
      live: required.DirectMemoryManager.getMemoryStats().activeBlocks,
      instance: block instanceof required.MemoryBlock,
      freed: required.DirectMemoryManager.freeAllMemory(),
      dead: block.freed,
    }));`;
  const { status, stdout, stderr } = run('app', 'both.mjs', program);
  t.is(status, 0, stderr);
  t.deepEqual(JSON.parse(stdout), {
    names: ['AdvancedMemoryAllocator', 'AlignmentMode', 'AllocatedMemory', 'AllocatorType', 'CopyMode', 'DirectMemoryManager', 'MemoryBlock', 'MemoryPool', 'OffHeapError'],
    same: true,
    live: 1,
    instance: true,
    freed: 1,
    dead: true,
  });
});

test('require works in a CommonJS program, before import and without it', (t) => {
  const program = `
    const { DirectMemoryManager, MemoryBlock, OffHeapError } = require('offheap');
    const block = MemoryBlock.from(Buffer.from('common'));
    console.log(block.text());
    block.free();
    try { block.free(); } catch (error) { console.log(error instanceof OffHeapError, error.code); }
    import('offheap').then((imported) => console.log(imported.DirectMemoryManager === DirectMemoryManager));`;
  const { status, stdout, stderr } = run('app', 'program.cjs', program);
  t.is(status, 0, stderr);
  t.is(stdout, 'common\ntrue ERR_OFFHEAP_DOUBLE_FREE\ntrue');
});

/** A program of `app` that imports the package, and then another copy of it. */
const withOther = (project: string, rest: string): string => `
  import * as first from 'offheap';
  import { pathToFileURL } from 'node:url';
  const addons = () => process.report.getReport().sharedObjects.filter((path) => /offheap[^/\\\\]*\\.node$/.test(path)).length;
  const before = addons();
  const second = await import(pathToFileURL(${JSON.stringify(at(project, 'dist', 'index.js'))}));
  ${rest}`;

test('a second copy of the package is the first one, and loads no addon', (t) => {
  const rest = `
    const classes = ['DirectMemoryManager', 'MemoryBlock', 'MemoryPool', 'OffHeapError'];
    const block = second.DirectMemoryManager.allocateMemory(64);
    first.DirectMemoryManager.copyMemory(Buffer.alloc(64, 'x'), 0, block, 0, 64, second.CopyMode.NORMAL);
    console.log(classes.every((name) => first[name] === second[name]), JSON.stringify(first.AlignmentMode) === JSON.stringify(second.AlignmentMode));
    console.log(before, addons(), first.DirectMemoryManager.getMemoryStats().activeBlocks, block instanceof first.MemoryBlock, block.text(0, 2));`;
  for (const project of ['second', 'bare']) {
    const { status, stdout, stderr } = run('app', `with-${project}.mjs`, withOther(project, rest));
    t.is(status, 0, stderr);
    t.is(stdout, 'true true\n1 1 1 true xx', project);
    t.is(stderr, '');
  }
});

test('a copy of another major version runs apart, with one warning that names both', (t) => {
  const program = `
    const other = Object.freeze({ url: 'file:///somewhere/else/offheap/dist/facade/copies.js' });
    Object.defineProperty(globalThis, Symbol.for('offheap.2'), { value: other });
    const warnings = [];
    process.on('warning', (warning) => warnings.push(warning));
    const { DirectMemoryManager } = await import('offheap');
    DirectMemoryManager.allocateMemory(8).free();
    await new Promise((resolve) => setTimeout(resolve, 20));
    console.log(warnings.length, warnings[0].code, warnings[0].message.includes(other.url), warnings[0].message.includes('app/node_modules/offheap'));`;
  const { status, stdout, stderr } = run('app', 'majors.mjs', program);
  t.is(status, 0, stderr);
  t.is(stdout, '1 OFFHEAP_TWO_VERSIONS true true');
});

test('importing allocates nothing and leaves the process to end by itself', (t) => {
  const program = `
    import { DirectMemoryManager } from 'offheap';
    console.log(DirectMemoryManager.isAvailable(), DirectMemoryManager.getMemoryStats().totalAllocated);`;
  const { status, stdout, stderr } = run('app', 'quiet.mjs', program);
  t.is(status, 0, stderr);
  t.is(stdout, 'true 0');
  t.is(stderr, '');
});

test('without an addon the package loads, says why it is not available, and refuses every use', (t) => {
  const program = `
    import { AlignmentMode, DirectMemoryManager as Manager, MemoryBlock, OffHeapError } from 'offheap';
    const code = (act) => { try { return typeof act(); } catch (error) { return error instanceof OffHeapError ? error.code : String(error); } };
    console.log(JSON.stringify({
      available: Manager.isAvailable(),
      reason: typeof Manager.unavailableReason === 'string' && Manager.unavailableReason.length > 10,
      told: (() => { try { Manager.allocateMemory(8); } catch (error) { return error.message.includes(Manager.unavailableReason); } })(),
      sizes: [Manager.WORD_SIZE, Manager.PAGE_SIZE, Manager.CACHE_LINE_SIZE].every((size) => size > 0),
      mode: AlignmentMode.NONE,
      codes: [
        () => Manager.allocateMemory(8),
        () => MemoryBlock.from(Buffer.alloc(8)),
        () => Manager.getMemoryStats(),
        () => Manager.getAllocatedBlocks(),
        () => Manager.findPotentialLeaks(0),
        () => Manager.freeAllMemory(),
        () => Manager.setLimit(null),
        () => Manager.trim(),
        () => Manager.getDirectBufferAddress(Buffer.alloc(8)),
        () => Manager.copyMemory(Buffer.alloc(8), 0, Buffer.alloc(8), 0, 8),
        () => Manager.compareMemory(Buffer.alloc(8), 0, Buffer.alloc(8), 0, 8),
        () => Manager.mismatch(Buffer.alloc(8), 0, Buffer.alloc(8), 0, 8),
      ].map(code),
    }));`;
  const { status, stdout, stderr } = run('bare', 'bare.mjs', program);
  t.is(status, 0, stderr);
  t.deepEqual(JSON.parse(stdout), {
    available: false,
    reason: true,
    told: true,
    sizes: true,
    mode: 'none',
    codes: Array.from({ length: 12 }, () => 'ERR_OFFHEAP_NOT_SUPPORTED'),
  });
});

test('a file that is no addon is a reason too', (t) => {
  install('broken', { addon: false });
  for (const name of readdirSync(join(root, 'native')).filter((file) => file.endsWith('.node'))) writeFileSync(at('broken', 'native', name), 'no library');
  const program = `import { DirectMemoryManager } from 'offheap'; console.log(DirectMemoryManager.isAvailable(), typeof DirectMemoryManager.unavailableReason);`;
  const { status, stdout, stderr } = run('broken', 'broken.mjs', program);
  t.is(status, 0, stderr);
  t.is(stdout, 'false string');
});

test('the addon is found in a package of its own, beside ours or below it, without a search', (t) => {
  for (const below of [true, false]) {
    const project = below ? 'below' : 'beside';
    install(project, { addon: false });
    cpSync(join(root, 'dist', 'index.js'), at(project, 'dist', 'index.js'));
    for (const file of readdirSync(join(root, 'native')).filter((name) => name.endsWith('.node'))) {
      const name = file.replace(/\.node$/, '').replace('.', '-');
      const place = below ? at(project, 'node_modules', name) : at(project, '..', name);
      cpSync(join(root, 'native', file), join(place, file));
    }
    const { status, stdout, stderr } = run(project, 'found.mjs', `import { DirectMemoryManager } from 'offheap';
      console.log(DirectMemoryManager.isAvailable());`);
    t.is(status, 0, stderr);
    t.is(stdout, 'true', project); // no package.json says what the package is: require() would not find it
  }
});

test('importing makes Node load none of its modules that a program can do without', (t) => {
  const program = `
    const before = new Set(process.moduleLoadList);
    await import(${JSON.stringify(new URL('../dist/index.js', import.meta.url))});
    const names = process.moduleLoadList.filter((name) => !before.has(name)).map((name) => name.replace('NativeModule ', ''));
    console.log(names.filter((name) => !/^internal\\/(?:abort_controller$|event_target$|modules\\/)/.test(name)).join(' '));`;
  const { status, stdout, stderr } = run('app', 'modules.mjs', program);
  t.is(status, 0, stderr);
  t.is(stdout, '');
});

test('the addon declares Node-API 7: how a finalizer finds out that its isolate ends was proved for that version', (t) => {
  const manifest = readFileSync(join(root, 'crates', 'offheap-node', 'Cargo.toml'), 'utf8');
  t.regex(manifest, /^napi = \{.*default-features = false, features = \["napi7"\] \}$/m);
});

test('everything that package.json names is built, and nothing outside is reached', (t) => {
  const { exports, types, imports } = JSON.parse(readFileSync(at('app', 'package.json'), 'utf8')) as {
    exports: { '.': { types: string; default: string } };
    types: string;
    imports: { '#native': { types: string; default: string } };
  };
  for (const path of [exports['.'].types, exports['.'].default, types, imports['#native'].types, imports['#native'].default]) {
    t.true(existsSync(at('app', path)), path);
  }
  const { stdout } = run('app', 'inside.mjs', `
    const tries = ['offheap/dist/facade/native.js', 'offheap/facade/native.js', 'offheap/native/index.cjs'];
    for (const path of tries) await import(path).then(() => console.log('reached', path), (error) => console.log(error.code));
    console.log((await import('offheap/package.json', { with: { type: 'json' } })).default.name);`);
  t.is(stdout, `${'ERR_PACKAGE_PATH_NOT_EXPORTED\n'.repeat(3)}offheap`);
});
