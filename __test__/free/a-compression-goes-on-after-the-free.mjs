// zlib.deflate of a view whose block is freed meanwhile. Node checks its own input: 20 aborts by an assertion of its C++ code, 22 and later
// throw where nobody can catch it (exit code 1). So the scene runs in a process of its own; this one states how it ends.
// expect: exit=0 code=none
// node from 24: --no-concurrent-recompilation --no-concurrent-sparkplug
// (Without these Node itself hangs in about every 8th exit of the scene: docs/FREE.md, "Where Node itself ends the process".)
import { spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { deflate } from 'node:zlib';
import { MIB, DirectMemoryManager as dmm, NODE, check, finish, same } from './_free.mjs';
import { freeAndCrowd, ownersAreIntact } from './_late.mjs';

if (process.argv[2] === 'scene') {
  const block = dmm.allocateMemory(MIB);
  randomFillSync(block.bytes());
  deflate(block.bytes(), { chunkSize: 4096 }, () => {});
  const owners = freeAndCrowd(block);
  process.on('exit', () => ownersAreIntact(owners));
} else {
  const { status, signal, stderr } = spawnSync(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), 'scene'], { encoding: 'utf8' });
  same(`${status} ${signal}`, NODE < 22 ? 'null SIGABRT' : '1 null', `the end of the scene, which said ${stderr}`);
  check(!stderr.includes('new owner') && !stderr.includes('not so'), stderr);
  const view = dmm.allocateMemory(65536).fill(7);
  const leased = await view.lease((bytes) => new Promise((resolve, reject) => { deflate(bytes, (error, result) => (error ? reject(error) : resolve(result))); }));
  check(leased.length > 10, 'with a lease it works on each of them');
  view.free();
  finish();
}
