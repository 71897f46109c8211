// The part of the tour that goes through atomic words; see _tour.mjs.

/** Atomic words of memory of at least 100 bytes, and waits for one, which end before this does; a rejection would end the program. */
export function walkWords(memory, codeOf) {
  memory.atomicStore('i32', 64, -5);
  if (memory.atomicAdd('i32', 64, 6) !== -5 || memory.atomicCompareExchange('i32', 64, 1, 8) !== 1 || memory.atomicLoad('i32', 64) !== 8) return 'atomics';
  memory.atomicExchange('i64', 72, -9n);
  if (memory.atomicXor('i64', 72, -1n) !== -9n || memory.atomicOr('i64', 72, 7n) !== 8n || memory.atomicAnd('i64', 72, 9n) !== 15n || memory.getBigInt64(72) !== 9n) return 'wide atomics';
  memory.waitAsync(64, 9);
  memory.waitAsync(64, 8, 0);
  memory.waitAsync(64, 8);
  memory.waitAsync(64, 8, 60_000);
  if (codeOf(() => memory.free()) !== 'ERR_OFFHEAP_IN_USE') return 'free while somebody waits';
  if (memory.notify(64, 1) !== 1 || memory.notify(64) !== 1 || memory.notify(64) !== 0) return 'notify';
  const wrong = codeOf(() => memory.atomicAdd('i64', 4, 1n)) !== 'ERR_OUT_OF_RANGE' || codeOf(() => memory.atomicAdd('i64', 8, 1)) !== 'ERR_INVALID_ARG_TYPE';
  return wrong || codeOf(() => memory.notify(64, -1)) !== 'ERR_OUT_OF_RANGE' ? 'refusals of atomics' : undefined;
}
