// A region's buffer is transferred away: no access, close() succeeds, the receiver keeps its bytes. Node 20 copies instead.
// expect: exit=0 code=none
// expect from 22: exit=0 code=ERR_OFFHEAP_ESCAPED,ERR_OFFHEAP_CLOSED
// message: AllocatedMemory … cannot be used: its ArrayBuffer was transferred away, and with it the memory. Transfer copyOut() or use share() instead; free() of the handle still succeeds.
import { DirectMemoryManager as dmm, MIB, NODE, TYPES, check, finish, open, refuses, rejects, same } from './_allocators.mjs';

const away = [];
for (const type of TYPES) {
  const allocator = open(type);
  const memory = allocator.allocate(64).fill(7);
  const { buffer } = memory.bytes();
  const taken = new Uint8Array(structuredClone(buffer, { transfer: [buffer] }));
  if (NODE >= 22) {
    refuses('ERR_OFFHEAP_ESCAPED', () => memory.getUint8(0), () => memory.setInt8(0, 1), () => memory.fill(0), () => memory.bytes(), () => dmm.zeroMemory(memory));
    refuses('ERR_OFFHEAP_ESCAPED', () => allocator.allocate(8).bytes(), () => memory.copyOut(), () => dmm.createDirectByteBuffer(memory), () => memory.equals(taken));
    refuses('ERR_OFFHEAP_ESCAPED', () => memory.atomicLoad('i32', 0), () => memory.atomicAdd('i64', 0, 1n), () => memory.notify(0));
    await rejects('ERR_OFFHEAP_ESCAPED', () => memory.waitAsync(0, 0));
  } else check(memory.getUint8(0) === 7 && buffer.byteLength > 0, 'not taken: copied');
  away.push({ taken, at: memory.offset });
  allocator.close();
  if (NODE >= 22) refuses('ERR_OFFHEAP_CLOSED', () => memory.getUint8(0), () => memory.free());
}
const live = TYPES.map((type) => [open(type), [open(type).allocate(10_000).fill(1)]]);
for (const { taken, at } of away) same(`${taken[at]} ${taken[at + 63]} ${taken.fill(9)[at]}`, '7 7 9', 'the bytes of the receiver');
check(live.every(([, [memory]]) => memory.getUint8(9999) === 1), 'the new owners kept theirs');
finish({ live, escaped: NODE >= 22 ? 6 * MIB : 0 });
