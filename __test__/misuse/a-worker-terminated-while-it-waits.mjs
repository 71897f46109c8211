// Workers are terminated while they wait: nobody is counted for them, allocators have their memory back, pinned blocks are kept and told.
// expect: exit=0 code=none
import { finish } from './_allocators.mjs';
import { SIZES, workersEnd } from './_worker-waits.mjs';

await workersEnd('terminate', SIZES);
finish({ escaped: 4 * (SIZES[0] + SIZES[1]) });
