// Only workers load the package; main loads it after they were terminated: their viewed blocks are counted.
// expect: exit=0 code=none
import { onlyAWorkerLoads } from './_only-workers.mjs';

await onlyAWorkerLoads('terminate', 1);
