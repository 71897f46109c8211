// A BYOB read takes the memory of the view that it is given, on each Node version.
// expect: exit=0 code=ERR_OFFHEAP_ESCAPED
// node: --expose-gc
import { escapeBy } from './_escape.mjs';

await escapeBy('a BYOB read');
