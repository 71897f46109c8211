// Only workers load the package; main loads it after they ended by themselves: nothing is left.
// expect: exit=0 code=none
import { onlyAWorkerLoads } from './_only-workers.mjs';

await onlyAWorkerLoads('end', 0);
