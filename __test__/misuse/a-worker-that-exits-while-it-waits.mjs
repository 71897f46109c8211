// Workers call process.exit() while they wait: nobody is counted for them, and nothing of them is left, for no wait pins anything then.
// expect: exit=0 code=none
import { finish } from './_allocators.mjs';
import { workersEnd } from './_worker-waits.mjs';

await workersEnd('exit', []);
finish();
