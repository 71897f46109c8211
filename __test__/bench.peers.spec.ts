// The benchmark's compiled peers: what cannot be installed or loaded is told, and costs nobody else. No time is asserted, and nothing is
// fetched: the packages lie beside the manifest.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { installPeers, reasonIn, toldOf } from '../scripts/peers.mjs';
import { bench, plant, reportOf } from './_bench.js';

/** A manifest of packages, each with the script that makes it ready. */
function manifest(t: ExecutionContext, scripts: { readonly [name: string]: string }): string {
  const home = mkdtempSync(join(tmpdir(), 'offheap-peers-'));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  const devDependencies = Object.fromEntries(Object.keys(scripts).map((name) => [name, `file:${name}`]));
  const packages: { [path: string]: unknown } = { '': { name: 'peers', devDependencies } };
  for (const [name, script] of Object.entries(scripts)) {
    packages[name] = { version: '1.0.0', dev: true };
    packages[`node_modules/${name}`] = { resolved: name, link: true };
    mkdirSync(join(home, name));
    writeFileSync(join(home, name, 'package.json'), JSON.stringify({ name, version: '1.0.0', scripts: { install: 'node install.cjs' } }));
    writeFileSync(join(home, name, 'install.cjs'), script);
  }
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'peers', private: true, devDependencies }));
  writeFileSync(join(home, 'package-lock.json'), JSON.stringify({ name: 'peers', lockfileVersion: 3, requires: true, packages }));
  return home;
}

const writes = "require('node:fs').writeFileSync('made', '');";
const fails = "console.error('peer.c:3:10: fatal error: no such header'); process.exit(3);";

test.serial('a peer that cannot be compiled is told with the reason, and the others are made all the same', async (t) => {
  const home = manifest(t, { broken: fails, whole: writes });
  const reasons = await installPeers({ home });
  t.deepEqual(Object.keys(reasons), ['broken']);
  t.regex(reasons['broken'] ?? '', /^peer\.c:3:10: fatal error: no such header$/);
  t.true(existsSync(join(home, 'whole', 'made')));
  t.deepEqual(toldOf(home).reasons, reasons);
});

test.serial('an installation is made once, and again for another list of packages', async (t) => {
  const home = manifest(t, { whole: writes });
  const told: string[] = [];
  const progress = (text: string): number => told.push(text);
  await installPeers({ home, progress });
  const once = told.length;
  await installPeers({ home, progress });
  t.is(told.length, once);
  writeFileSync(join(home, 'package-lock.json'), `${JSON.stringify({ name: 'peers', lockfileVersion: 3, requires: true, packages: {
    '': { name: 'peers', devDependencies: { whole: 'file:whole' } }, 'whole': { version: '1.0.0', dev: true },
    'node_modules/whole': { resolved: 'whole', link: true },
  } })}\n`);
  await installPeers({ home, progress });
  t.is(told.length, 2 * once);
});

test.serial('a list that npm refuses is told for each of its packages, and asked for again the next time', async (t) => {
  const home = manifest(t, { whole: writes });
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'peers', devDependencies: { whole: 'file:whole', other: 'file:other' } }));
  const reasons = await installPeers({ home });
  t.deepEqual(Object.keys(reasons), ['whole', 'other']);
  t.is(toldOf(home).purpose, null);
  t.regex(reasons['other'] ?? '', /npm ci|lock/);
});

test('of what npm prints, the line that says why is kept', (t) => {
  const ended = { code: 1, signal: null, stdout: '' };
  const gyp = 'npm error code 1\nnpm error path here\nnpm error gyp ERR! stack Error: not found: make\nnpm error gyp ERR! not ok';
  t.is(reasonIn({ ...ended, stderr: gyp }), 'Error: not found: make');
  const network = 'npm error code ECONNREFUSED\nnpm error syscall connect\nnpm error errno ECONNREFUSED\nnpm error FetchError: request failed';
  t.is(reasonIn({ ...ended, stderr: network }), 'FetchError: request failed');
  t.is(reasonIn({ ...ended, stderr: '' }), 'npm ended with code 1');
  t.regex(reasonIn({ ...ended, signal: 'SIGKILL', stderr: '' }), /^was stopped after \d+ s$/);
});

test('a peer that could not be installed is a note of its rows, and no failure', async (t) => {
  const tree = plant(t);
  const row = async (): Promise<{ readonly code: unknown; readonly peer: unknown; readonly note: unknown }> => {
    const { code, stdout } = await bench(tree, '--quick', '--json', '--filter', 'swap in place, 8-byte words, 64 B');
    const [found] = reportOf(stdout).rows;
    t.true((found?.ours ?? 0) > 0 && (found?.best ?? 0) > 0);
    return { code, peer: found?.peers['bswap'], note: found?.notes['bswap'] };
  };
  t.deepEqual(await row(), { code: 0, peer: null, note: 'bswap is not installed: npm run bench does it' });
  mkdirSync(join(tree, 'benchmark', 'peers', 'node_modules'));
  writeFileSync(join(tree, 'benchmark', 'peers', 'node_modules', '.told.json'), JSON.stringify({ purpose: null, reasons: { bswap: 'no compiler' } }));
  t.deepEqual(await row(), { code: 0, peer: null, note: 'bswap could not be installed: no compiler' });
});
