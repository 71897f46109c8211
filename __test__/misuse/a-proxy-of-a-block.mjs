// A Proxy is not the block, whatever it answers; the block behind it is untouched.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "this" argument must be an instance of MemoryBlock. Received a Proxy
import { CALLS, allRefuse } from './_calls.mjs';
import { DirectMemoryManager as dmm, check, finish } from './_expect.mjs';

const block = dmm.allocateMemory(64).fill(7);
const revoked = Proxy.revocable(block, {});
revoked.revoke();
for (const proxy of [new Proxy(block, {}), new Proxy(block, { get: (target, key) => Reflect.get(target, key) }), revoked.proxy]) {
  await allRefuse('ERR_INVALID_ARG_TYPE', CALLS, proxy);
}
check(block.isValid() && block.getUint8(0) === 7, 'the block is untouched');
finish({ live: [block] });
