// Main never loads the package: workers do, one after the other and two at once, and end in every way. Main ends by itself.
// expect: exit=0 code=none
import { print, same, startWorker } from './_workers.mjs';

const CODES = { exit: 5, never: 1, free: 0, rest: 0 };
let workers = 0;

async function run(ends, number) {
  const { worker, ended, told } = startWorker(new URL('_loads.mjs', import.meta.url), { number, ends });
  const { broken, mine, available } = await told;
  same(available, true, 'isAvailable()');
  same(broken, 0, 'memory with another stamp');
  same(mine, 180, 'rows of the worker');
  if (ends === 'never') await worker.terminate();
  same(await ended, CODES[ends], `exit code of the worker: ${ends}`);
  workers += 1;
}

for (const ends of Object.keys(CODES)) await run(ends, 1);
for (const ends of Object.keys(CODES)) await Promise.all([run(ends, 2), run('free', 3)]);
print({ workers });
