// Workers are terminated with blocks live, viewed and freed: those that were never viewed are reclaimed, the viewed ones kept and counted.
// expect: exit=0 code=none
// node: --expose-gc
import { finish, rowsOf, same } from './_free.mjs';
import { VIEWED_BYTES, workersEndBy } from './_worker-ends.mjs';

await workersEndBy('terminate', { escaped: VIEWED_BYTES });
same(rowsOf('worker').every(({ escaped }) => escaped), true, 'what is left is counted as escaped');
finish({ escaped: 4 * VIEWED_BYTES });
