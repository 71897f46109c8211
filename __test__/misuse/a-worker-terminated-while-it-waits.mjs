// Workers are terminated while they wait: nobody is counted for them, allocators and never-viewed blocks are back, viewed ones are kept and told.
// expect: exit=0 code=none
import { finish } from './_allocators.mjs';
import { VIEWED, workersEnd } from './_worker-waits.mjs';

await workersEnd('terminate', [VIEWED]);
finish({ escaped: 4 * VIEWED });
