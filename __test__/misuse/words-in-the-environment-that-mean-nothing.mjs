// OFFHEAP_TRACK, OFFHEAP_FRONTEND and OFFHEAP_HARDENED with words nobody knows: refused at the first use, each by name.
// expect: exit=0 code=ERR_INVALID_ARG_VALUE
// message: The argument 'alignment' must be one of: 'none', 'word', 'cache-line', 'page'. Received 'x'
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DirectMemoryManager as dmm } from '../../dist/index.js';
import { check, print, refuses, same } from './_refuses.mjs';

const name = process.argv[2];
if (name === undefined) {
  for (const each of ['OFFHEAP_TRACK', 'OFFHEAP_FRONTEND', 'OFFHEAP_HARDENED', 'OFFHEAP_LIMIT', 'OFFHEAP_TABLE']) {
    const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), each], { env: { ...process.env, [each]: 'everything' }, encoding: 'utf8' });
    same(status, 0, `${each}: ${stderr}`);
  }
  dmm.allocateMemory(8).free();
}
process.env.OFFHEAP_LIMIT = 'too late'; // read once, at load
const act = () => dmm.allocateMemory(8);
if (name === undefined) act().free();
else check(refuses('ERR_INVALID_ARG_VALUE', act).message.includes(name), `it names ${name}`);
if (name === undefined) refuses('ERR_INVALID_ARG_VALUE', () => dmm.allocateMemory(8, 'x'));
print({ stats: dmm.isAvailable() && name === undefined && dmm.getMemoryStats().activeBlocks === 0 ? 'exact' : 'none' });
