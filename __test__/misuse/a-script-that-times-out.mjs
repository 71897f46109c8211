// vm scripts that are stopped between any two steps of allocate, view, reallocate, pin and free, in an isolate that lives on.
// expect: exit=0 code=ERR_OFFHEAP_USE_AFTER_FREE
// message: MemoryBlock … cannot be used any more: it was freed. Keep a handle only as long as its memory; isValid() tells.
import { createContext, runInContext } from 'node:vm';
import { DirectMemoryManager as dmm, check, finish, refuses } from './_expect.mjs';

const context = createContext({ dmm });
const bodies = [
  `const b = dmm.allocateMemory(100, 'word', { label: 'stopped' }); b.bytes().fill(1); b.toArrayBuffer(); b.free();`,
  `dmm.reallocateMemory(dmm.allocateMemory(64, 'word', { label: 'stopped' }), 3000).free();`,
  `const b = dmm.allocateMemory(5000, 'page', { label: 'stopped' }); b.bytes(); const c = dmm.reallocateMemory(b, 40000); c.bytes().fill(2); c.free();`,
];
let stopped = 0;
for (let round = 0; round < 90; round += 1) {
  try {
    runInContext(`for (;;) { ${bodies[round % 3]} }`, context, { timeout: 1 + (round % 4) });
  } catch (error) {
    stopped += error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? 1 : 0;
    check(error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT', error.stack);
  }
}
const block = dmm.allocateMemory(100);
block.free();
refuses('ERR_OFFHEAP_USE_AFTER_FREE', () => block.bytes());
check(stopped === 90, `${stopped} scripts were stopped`);
finish({ others: 'stopped' });
