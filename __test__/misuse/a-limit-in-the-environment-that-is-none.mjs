// OFFHEAP_LIMIT is nonsense: loading works, the first use and every later one is refused.
// expect: exit=0 code=ERR_INVALID_ARG_VALUE
// message: The property 'process.env.OFFHEAP_LIMIT' must be a count of bytes such as 1024, 64m or 8g. Received '8 gigs'
// env: OFFHEAP_LIMIT=8 gigs
import { MemoryBlock, DirectMemoryManager as dmm } from '../../dist/index.js';
import { check, print, refuses } from './_refuses.mjs';

check(dmm.isAvailable() && dmm.unavailableReason === undefined && dmm.PAGE_SIZE >= 4096, 'it loads');
for (let round = 0; round < 2; round += 1) {
  const error = refuses('ERR_INVALID_ARG_VALUE', () => dmm.allocateMemory(64), () => MemoryBlock.from(new Uint8Array(8)), () => dmm.freeAllMemory(), () => dmm.getMemoryStats(), () => dmm.getAllocatedBlocks(), () => dmm.findPotentialLeaks(0), () => dmm.setLimit(null), () => dmm.trim());
  check(error.message.includes('OFFHEAP_LIMIT') && error.message.includes("'8 gigs'"), 'it names the variable and the value');
}
print({ stats: 'none' });
