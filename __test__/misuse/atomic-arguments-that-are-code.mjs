// Objects that free, reallocate or wake when converted, as type, offset, value, expected, count and time: refused unread.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "value" argument must be of type number. Received an instance of Object
import { DirectMemoryManager as dmm, TYPES, check, finish, open, refuses, rejects, same } from './_allocators.mjs';
import { BOMBS, NO_NUMBERS } from './_values.mjs';

const live = TYPES.map((type) => [open(type), [open(type).allocate(64).fill(7)]]);
const block = dmm.allocateMemory(64).fill(7);
for (const memory of [block, ...live.map(([, [each]]) => each)]) {
  const kill = () => { memory.notify(0); memory.free(); return 0; };
  const values = [{ valueOf: kill }, { toString: kill }, { [Symbol.toPrimitive]: kill }, { get byteLength() { return kill(); } }, ...NO_NUMBERS];
  const waits = memory.waitAsync(0, 0x07070707);
  for (const name of ['Store', 'Add', 'And', 'Or', 'Xor', 'Exchange', 'CompareExchange'].map((each) => `atomic${each}`)) {
    for (const value of values) refuses('ERR_INVALID_ARG_TYPE', () => memory[name]('i32', 0, value, value), () => memory[name]('i32', value, 1, 1), () => memory[name]('i64', 0, typeof value === 'bigint' ? 8 : value, 1n));
    for (const value of [undefined, 32, 8n, ...BOMBS, () => 'i32', Object('i32')]) refuses('ERR_INVALID_ARG_TYPE', () => memory[name](value, 0, 1, 1));
  }
  for (const value of values) refuses('ERR_INVALID_ARG_TYPE', () => memory.atomicLoad('i32', value), () => memory.notify(value), () => memory.notify(0, value));
  for (const value of values) for (const args of [[value, 7], [0, typeof value === 'bigint' ? '8' : value], [0, 7, value]]) await rejects('ERR_INVALID_ARG_TYPE', () => memory.waitAsync(...args));
  check(memory.copyOut().every((byte) => byte === 7), 'nothing was written');
  same(`${memory.notify(0)} ${await waits}`, '1 ok', 'the wait of before');
}
block.free();
finish({ live });
