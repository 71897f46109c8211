// The same thieves are there before the package is loaded: what they are shown is empty, or none of a block's memory.
// expect: exit=0 code=ERR_OFFHEAP_USE_AFTER_FREE
// node: --import ./_thieves-before-load.mjs
import { finish } from './_free.mjs';
import { freeAmongThieves } from './_robbed.mjs';

freeAmongThieves();
finish();
