// Options that are no object, and mistyped ones: { zeroed: 'yes' }, { label: 8 }.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "options" argument must be of type object. Received null
import { DirectMemoryManager as dmm, MemoryBlock, finish, refuses } from './_expect.mjs';

const revoked = Proxy.revocable({}, {});
revoked.revoke();
const options = [null, 1, 'x', true, [], () => 0, Symbol('o'), 8n];
for (const zeroed of ['yes', 1, 0, null, {}, Object(true)]) options.push({ zeroed });
for (const label of [1, null, {}, Symbol('l'), Object('l'), true, 8n]) options.push({ label });
for (const value of [...options, revoked.proxy]) {
  refuses('ERR_INVALID_ARG_TYPE', () => dmm.allocateMemory(64, 'word', value), () => MemoryBlock.from(new Uint8Array(8), 'word', value));
}
finish();
