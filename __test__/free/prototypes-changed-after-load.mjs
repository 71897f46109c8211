// After load, prototypes and globals that a free could use are replaced by thieves, and views lose theirs: free works, nothing is stolen.
// expect: exit=0 code=ERR_OFFHEAP_USE_AFTER_FREE
import { finish } from './_free.mjs';
import { freeAmongThieves } from './_robbed.mjs';
import { install } from './_thieves.mjs';

freeAmongThieves();
install();
freeAmongThieves();
finish();
