// A lease whose function throws, rejects, or rejects with nothing: the caller gets exactly that, and the block can be freed.
// expect: exit=0 code=ERR_OFFHEAP_IN_USE
import { DirectMemoryManager as dmm, SIZES, finish, refuses, same, turn } from './_free.mjs';

/* oxlint-disable unicorn/no-thenable -- one of the ways to reject */
const thrown = new Error('thrown in a lease');
const functions = [() => { throw thrown; }, async () => { throw thrown; }, () => Promise.reject(thrown), async () => { await turn(); throw thrown; }, () => ({ then: (_, reject) => reject(thrown) })];
for (const size of SIZES) {
  for (const act of functions) {
    const block = dmm.allocateMemory(size);
    const lease = block.lease(act);
    if (act === functions[3]) refuses('ERR_OFFHEAP_IN_USE', () => block.free());
    same(await lease.then(() => 'nothing', (error) => error), thrown, 'what the caller gets');
    same(await block.lease(() => Promise.reject()).catch((error) => error), undefined, 'rejected with nothing');
    block.free();
  }
}
finish();
