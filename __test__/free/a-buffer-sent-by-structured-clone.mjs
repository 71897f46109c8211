// structuredClone() with a transfer list takes a block's memory; on Node 20 it copies.
// expect: exit=0 code=none
// expect from 22: exit=0 code=ERR_OFFHEAP_ESCAPED
// node: --expose-gc
import { escapeBy } from './_escape.mjs';

await escapeBy('structuredClone with transfer');
