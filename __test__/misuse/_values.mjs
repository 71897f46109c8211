// Values that are not what a parameter wants. Running any of their code ends the program.
import { fail } from './_refuses.mjs';

const bomb = () => fail('code of an argument was run');

/** Objects that would gladly become a number. */
export const BOMBS = [
  { valueOf: bomb, toString: bomb, [Symbol.toPrimitive]: bomb },
  new Proxy({}, { get: bomb, has: bomb, getPrototypeOf: bomb, getOwnPropertyDescriptor: bomb, ownKeys: bomb }),
];
const revoked = Proxy.revocable({}, {});
revoked.revoke();

export const NO_NUMBERS = ['8', '', 'x', null, {}, [], [8], 8n, true, false, Symbol('8'), () => 8, Object(8), new Date(8), revoked.proxy, ...BOMBS];
/** Numbers that count nothing, whatever the limits. */
export const NO_COUNTS = [-1, -0.5, 0.5, 1.5, NaN, Infinity, -Infinity, 2 ** 53, -(2 ** 53), 1e300, Number.MIN_VALUE];
/** Neither memory nor bytes. */
export const NO_BYTES = [undefined, null, 0, 8, '8', 8n, true, Symbol('8'), {}, [1, 2], () => 8, { byteLength: 64, buffer: {} }, revoked.proxy, ...BOMBS];
