// Workers end by themselves with blocks live, viewed and freed: nothing is left of them, in memory or in the figures.
// expect: exit=0 code=none
// node: --expose-gc
import { finish, rowsOf, same } from './_free.mjs';
import { workersEndBy } from './_worker-ends.mjs';

await workersEndBy('end');
same(rowsOf('worker').length, 0, 'rows');
finish();
