// A byte stream takes the memory of every view that is enqueued, on each Node version.
// expect: exit=0 code=ERR_OFFHEAP_ESCAPED
// node: --expose-gc
import { escapeBy } from './_escape.mjs';

await escapeBy('a byte stream');
