// Methods and getters whose `this` is no object at all.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "this" argument must be an instance of MemoryBlock. Received undefined
import { CALLS, allRefuse } from './_calls.mjs';
import { DirectMemoryManager as dmm, finish, refuses } from './_expect.mjs';

const block = dmm.allocateMemory(64);
for (const value of [undefined, null, 8, 'x', 8n, true, Symbol('this')]) await allRefuse('ERR_INVALID_ARG_TYPE', CALLS, value);
const { getInt32, bytes, free } = block;
refuses('ERR_INVALID_ARG_TYPE', () => getInt32(0), () => bytes(), () => free(), () => block[Symbol.dispose].call({}));
const { allocateMemory, getMemoryStats } = dmm; // these need no `this`
allocateMemory(8).free();
getMemoryStats();
finish({ live: [block] });
