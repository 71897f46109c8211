// Setters that get a bigint for a number, a number for a bigint, or neither; numbers that do not fit wrap as DataView's do.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "value" argument must be of type number. Received undefined
import { placesOf } from './_calls.mjs';
import { DirectMemoryManager as dmm, finish, refuses, same } from './_expect.mjs';
import { NO_NUMBERS } from './_values.mjs';

const block = dmm.allocateMemory(64).fill(0);
for (const { run } of placesOf('number')) for (const value of [undefined, ...NO_NUMBERS]) refuses('ERR_INVALID_ARG_TYPE', () => run(block, value));
for (const { run } of placesOf('bigint')) for (const value of [undefined, 8, NaN, ...NO_NUMBERS]) if (typeof value !== 'bigint') refuses('ERR_INVALID_ARG_TYPE', () => run(block, value));
same(dmm.mismatch(block, 0, new Uint8Array(64), 0, 64), -1, 'nothing was written');
block.setUint8(0, 511);
block.setInt16(2, NaN);
block.setBigUint64(8, -1n);
same(`${block.getUint8(0)} ${block.getInt16(2)} ${block.getBigInt64(8)}`, '255 0 -1', 'wrapped values');
finish({ live: [block] });
