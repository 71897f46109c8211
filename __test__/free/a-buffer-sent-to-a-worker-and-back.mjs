// A worker gets a block's memory, writes to it, posts it back and ends; on Node 20 it gets a copy.
// expect: exit=0 code=none
// expect from 22: exit=0 code=ERR_OFFHEAP_ESCAPED
// node: --expose-gc
import { escapeBy } from './_escape.mjs';

await escapeBy('to a worker and back');
