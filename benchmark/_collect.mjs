// Starts the processes of each group, puts their figures together, and judges them.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { mergeCells, minimum } from './_checks.mjs';
import { PLANS } from './_harness.mjs';
import { judge } from './_judge.mjs';
import { isTaken } from './_quick.mjs';
import { measureEmptyCall } from './_yardstick.mjs';
import * as access from './access.mjs';
import * as alloc from './alloc.mjs';
import * as allocators from './allocators.mjs';
import * as load from './load.mjs';
import * as memory from './memory.mjs';
import * as opsApart from './ops-apart.mjs';
import * as ops from './ops.mjs';
import * as pools from './pools.mjs';
import * as view from './view.mjs';
import * as workers from './workers.mjs';

const GROUPS = [alloc, pools, allocators, workers, view, access, ops, opsApart, load, memory];
const runner = fileURLToPath(new URL('run.mjs', import.meta.url));

/** One process of a group: its messages, and why it ended if not by itself. */
export function runProcess(group, plan, operations) {
  return new Promise((resolve) => {
    const messages = [];
    const child = fork(runner, [group, JSON.stringify({ plan, operations })], {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.on('message', (message) => messages.push(message));
    child.on('error', (error) => resolve({ messages, ended: error.message }));
    child.on('close', (code, signal) => resolve({ messages, ended: code === 0 ? undefined : `its process ended with ${signal ?? `code ${code}`}` }));
  });
}

/** A group's rows, in processes of their own where the group says so. */
async function timeGroup(group, operations, plan, progress, yardsticks) {
  if (!group.apart) return timeTogether(group, operations, plan, progress, yardsticks);
  const results = [];
  for (const operation of operations) results.push(...(await timeTogether(group, [operation], plan, progress, yardsticks)));
  return results;
}

async function timeTogether({ group, heavy = false }, operations, plan, progress, yardsticks) {
  const runs = [];
  const processes = heavy ? plan.heavyProcesses : plan.processes;
  for (let turn = 1; turn <= processes; turn += 1) {
    progress(`${group}: process ${turn} of ${processes}, ${operations.length === 1 ? operations[0] : `${operations.length} rows`}`);
    const run = await runProcess(group, plan, operations);
    yardsticks.push(...run.messages.filter(({ yardstick }) => yardstick).map(({ yardstick }) => yardstick));
    runs.push(run);
  }
  return operations.map((operation) => {
    const found = runs.map(({ messages, ended }) =>
      messages.find((message) => message.operation === operation) ?? { cells: { ours: { note: ended ?? 'not reported' } }, checks: 0 });
    const names = new Set(found.flatMap(({ cells }) => Object.keys(cells)));
    const cells = Object.fromEntries([...names].map((name) => [name, mergeCells(found.map((run) => run.cells[name] ?? { note: 'not timed' }))]));
    return { operation, cells, checks: found.reduce((sum, { checks }) => sum + checks, 0) };
  });
}

/** How much slower this machine is than the one that the targets were written for, by the least of all empty calls seen. */
function scaleOf(yardsticks) {
  const [{ written, what }] = yardsticks;
  const ns = minimum(yardsticks.map((one) => one.ns));
  return { emptyCallNs: ns, writtenNs: written, factor: ns / written, what };
}

/** @returns rows as `--json` prints them, and the scale of their targets */
export async function collect({ quick, filter, progress }) {
  const plan = quick ? PLANS.quick : PLANS.full;
  const wanted = ({ group, rows }) => rows.filter((row) => isTaken(group, row, { quick, filter }));
  const yardsticks = [measureEmptyCall()];
  const measured = [];
  for (const group of GROUPS) {
    const rows = wanted(group);
    if (rows.length === 0) continue;
    const operations = rows.map(({ operation }) => operation);
    const results = group.measure
      ? await group.measure(operations, plan, progress)
      : await timeGroup(group, operations, plan, progress, yardsticks);
    for (const row of rows) measured.push({ group: group.group, row, result: results.find(({ operation }) => operation === row.operation) });
  }
  const scale = scaleOf(yardsticks);
  return { scale, rows: measured.map(({ group, row, result }) => judge(group, row, result, scale.factor)) };
}
