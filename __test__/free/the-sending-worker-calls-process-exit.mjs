// A worker sends the memory of viewed blocks to main and calls process.exit(): main keeps valid bytes, nobody else gets them, and they are counted.
// expect: exit=0 code=none
// node: --expose-gc
import { senderEndsBy } from './_sender.mjs';

await senderEndsBy('exit');
