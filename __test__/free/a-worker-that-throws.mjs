// Workers end by an error nobody catches: no live block is left; viewed ones are either freed or kept and counted, never both.
// expect: exit=0 code=none
// node: --expose-gc
import { check, checkAway, finish, rowsOf, statistics } from './_free.mjs';
import { VIEWED_BYTES, workerEndsBy } from './_worker-ends.mjs';

for (let round = 0; round < 4; round += 1) await workerEndsBy('throw');
const { escaped } = statistics();
check(escaped === 0 || escaped === 4 * VIEWED_BYTES, `${escaped} bytes escaped`);
checkAway(escaped, escaped);
check(rowsOf('worker').every((row) => row.escaped), 'what is left is counted as escaped');
finish({ escaped });
