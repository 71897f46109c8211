// ArrayBuffer.prototype.transferToFixedLength() gives a block's memory to somebody else: theirs until it is collected, then ours again.
// expect: exit=0 code=none
// expect from 22: exit=0 code=ERR_OFFHEAP_ESCAPED
// node: --expose-gc
import { escapeByMethod } from './_escape.mjs';

await escapeByMethod('transferToFixedLength');
