// Only workers load the package; main loads it after they called process.exit(): nothing is left.
// expect: exit=0 code=none
import { onlyAWorkerLoads } from './_only-workers.mjs';

await onlyAWorkerLoads('exit', 5);
