// Runs the benchmark as a program, in this tree or in one whose package is wrong, and reads its report.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';

export const root = fileURLToPath(new URL('..', import.meta.url));

export interface Row {
  readonly group: string;
  readonly operation: string;
  readonly unit: string;
  readonly ours: number | null;
  readonly peers: { readonly [name: string]: number | null };
  readonly bounds: readonly string[];
  readonly best: number | null;
  readonly ratio: number | null;
  readonly target: number | null;
  readonly met: boolean | null;
  readonly demands: readonly { readonly times: number; readonly of: string; readonly limit: number | null; readonly met: boolean | null }[];
  readonly targetWritten: number | null;
  readonly median: number | null;
  readonly cpu: number | null;
  readonly peerCpu: Readonly<Record<string, number>>;
  readonly spread: readonly [number, number] | null;
  readonly notes: { readonly [name: string]: string };
  readonly pairNs: { readonly [name: string]: { readonly one: number; readonly two: number } };
  readonly checks: number;
  readonly error: string | null;
}

export interface Report {
  readonly commit: string | null;
  readonly machine: { readonly [name: string]: unknown };
  readonly versions: { readonly [name: string]: unknown };
  readonly scale: { readonly emptyCallNs: number; readonly factor: number };
  readonly rows: readonly Row[];
}

/** Runs the bench of a tree to its end, as it is built; without what ava has put into the environment for its own workers. */
export const bench = (tree: string, ...args: string[]): Promise<Ended> => benchWith({}, tree, ...args);

interface Ended {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** The same with some more in the environment. */
export async function benchWith(more: { readonly [name: string]: string }, tree: string, ...args: string[]): Promise<Ended> {
  const env = { ...process.env, NODE_OPTIONS: '', OFFHEAP_SKIP_BUILD: '1', ...more };
  const child = spawn(process.execPath, [join(tree, 'scripts', 'bench.mjs'), ...args], { env });
  const code = new Promise((resolve) => child.on('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

export const reportOf = (stdout: string): Report => JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Report;

const isSource = (path: string): boolean => basename(path) !== 'node_modules';

/** A tree whose package is wrong in what `source` says; the right one is its `./right.js`. It has no compiled peers. */
export function plant(t: ExecutionContext, source = "export * from './right.js';"): string {
  const tree = mkdtempSync(join(tmpdir(), 'offheap-bench-'));
  t.teardown(() => rmSync(tree, { recursive: true, force: true }));
  for (const name of ['package.json', 'benchmark', 'scripts', 'dist']) cpSync(join(root, name), join(tree, name), { recursive: true, filter: isSource });
  for (const name of ['native', 'node_modules']) symlinkSync(join(root, name), join(tree, name), 'junction');
  mkdirSync(join(tree, '.cache'));
  renameSync(join(tree, 'dist', 'index.js'), join(tree, 'dist', 'right.js'));
  writeFileSync(join(tree, 'dist', 'index.js'), source);
  return tree;
}
