// Workers: allocators that several isolates use at once, workers that end at any moment, and who loads the package. Each scene is a program of
// __test__/workers/ in a process of its own, some run once for each type of allocator; see _programs.ts for their first lines.
import test from 'ava';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TIMEOUT_MS, readProgram, reportOf, runInTurn } from './_programs.js';
import { TYPES } from './_allocators.js';

const folder = fileURLToPath(new URL('workers/', import.meta.url));
/** Of each of the five scenes; a debugging session may want fewer. */
const TERMINATIONS = process.env['TERMINATIONS'] ?? '100';
const used = new Set<string>();

/** A test for a program with these arguments; `facts` are of the line of JSON that it prints. */
function proves(title: string, name: string, args: readonly string[], facts: object): void {
  const read = readProgram(folder, `${name}.mjs`);
  const { OFFHEAP_FRONTEND: frontend } = process.env;
  const program = frontend === undefined ? read : { ...read, env: { OFFHEAP_FRONTEND: frontend } };
  used.add(program.name);
  test(title, async (t) => {
    t.timeout(20 * TIMEOUT_MS, 'waits its turn');
    const { code, signal, stdout, stderr } = await runInTurn(program, ...args);
    t.is(signal, null, stderr);
    t.is(code, program.expected.exit, `${stdout}${stderr}`);
    t.like(reportOf(stdout), facts, stdout);
    t.is(stderr, '');
  });
}

for (const type of TYPES) {
  proves(`${type}: four isolates share a name, and no byte is granted twice`, 'allocators-shared-by-name', [type], { type });
  proves(`${type}: a reset under others ends what they hold, and no byte is granted twice`, 'an-allocator-reset-under-others', [type], { type });
  proves(`${type}: a close under others is told to them, and the name opens again with another size`, 'an-allocator-closed-under-others', [type], { type });
  proves(`${type}: opened and closed by all at any moment, it refuses as the contract says`, 'an-allocator-opened-and-closed-by-all', [type], { type });
}
for (const scene of ['blocks', 'views', 'leases', 'grants', 'transfers']) {
  proves(`${TERMINATIONS} workers terminated at random (${scene}) leave what is orphaned and nothing else`, 'workers-terminated-at-random', [scene, TERMINATIONS], {
    scene,
    terminated: Number(TERMINATIONS),
  });
}
proves('workers that end by themselves leave nothing but what was pinned', 'ended-workers-leave-nothing', ['end'], { how: 'end' });
proves('workers that call process.exit leave nothing but what was pinned', 'ended-workers-leave-nothing', ['exit'], { how: 'exit' });
proves('workers alone load the package', 'only-workers-load-the-package', [], { workers: 12 });
proves('main loads the package after the worker that loaded it first was terminated', 'main-loads-after-the-first-worker-died', ['never'], { orphans: 60 });
proves('main loads the package after the worker that loaded it first called process.exit', 'main-loads-after-the-first-worker-died', ['exit'], { orphans: 0 });
proves('main loads the package after the worker that loaded it first ended by itself', 'main-loads-after-the-first-worker-died', ['rest'], { orphans: 0 });
proves('eight workers load the package at once', 'eight-workers-load-at-once', [], { workers: 8 });
for (const run of ['0', '1', '2', '3', '4', '5']) {
  proves(`main exits while workers ${run === '0' ? 'load' : 'allocate'}, with its own exit code (${run})`, 'main-exits-while-workers-allocate', [run], {
    workers: Number(run) % 2 === 0 ? 3 : 2,
  });
}
proves('a second copy of the package is the first one, in main and in workers', 'a-second-copy-in-every-isolate', [], { workers: 2 });

test('every program of the folder is run', (t) => {
  t.deepEqual(readdirSync(folder).filter((name) => /^[a-z].*\.mjs$/.test(name)).toSorted(), [...used].toSorted());
});
