// OFFHEAP_TABLE is nonsense: loading works, the first use and every later one is refused.
// expect: exit=0 code=ERR_INVALID_ARG_VALUE
// message: The property 'process.env.OFFHEAP_TABLE' must be a count of bytes, 64k to 1g. Received '-1'
// env: OFFHEAP_TABLE=-1
import { DirectMemoryManager as dmm } from '../../dist/index.js';
import { check, print, refuses } from './_refuses.mjs';

check(dmm.isAvailable(), 'it loads');
const error = refuses('ERR_INVALID_ARG_VALUE', () => dmm.allocateMemory(64), () => dmm.getMemoryStats(), () => dmm.allocateMemory(64));
check(error.message.includes('OFFHEAP_TABLE') && error.message.includes('64k'), 'it names the variable and what is possible');
print({ stats: 'none' });
