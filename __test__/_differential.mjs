// A program that does a random script with blocks, pools, limits and allocators, and prints whatever a caller can see of it:
//   node _differential.mjs <seed> <steps>
// Two runs with the same seed must print the same, whether JavaScript hands memory out by itself or every call is native. So nothing is
// printed, and nothing decides what is done next, that the library is free to choose:
// - ids, addresses, times, and bytes that nobody has written: memory is filled as soon as it is there, with a tag of its own
// - where grants lie, hence what is left between them: allocators for mixed sizes are never nearly full (arenas and rings may be, they go
//   in order), and of these `largestFree`, `freeBlocks` and an object pool's hits are left out; those that do become full hold grants of
//   one size, and their `largestFree` is printed when nothing is live (seed 381054: two grants of an object pool in one cell, or in two)
// - the label of the one row of an arena or a ring, and how much a trim finds
import { AdvancedMemoryAllocator, DirectMemoryManager as Manager, MemoryPool } from '../dist/index.js';

const [seed, steps] = process.argv.slice(2).map(Number);
const KIB = 1024;
const BLOCK_SIZES = [1, 8, 16, 17, 63, 64, 65, 100, 128, 1000, 4096, 5000, 16_384, 16_385, 32_767, 32_768, 32_769, 40_000, 70_000];
const POOL_SIZES = [16, 64, 100, 4096, 32_768, 40_000];
/** For allocators of mixed sizes: few, since an object pool never gives a slot to another size. */
const GRANT_SIZES = [1, 64, 100, 1000, 4096, 16_384];
const TYPES = ['buddy', 'slab', 'arena', 'ring', 'pool', 'hybrid'];
/** What keeps allocators of mixed sizes far from full. */
const [MIXED_TOTAL, MIXED_MOST] = [8192 * KIB, 60];
/** As many handles of a kind are kept; the rest is freed. */
const KEPT_MOST = 250;
/** Longer than the clock of the table runs on without use. */
const PAUSE_MS = 500;

let state = (seed * 2_654_435_761) >>> 0 || 1;
/** 0 to `count` − 1, by xorshift. */
function random(count) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % count;
}
const chance = (oneIn) => random(oneIn) === 0;
const pick = (list) => list[random(list.length || 1)];
/** Mostly one that is live. */
const pickLive = (list) => (chance(6) ? undefined : pick(list.filter(({ memory }) => memory.isValid()))) ?? pick(list);

const lines = [];
let step = 0;
function log(...parts) {
  lines.push(`${step} ${parts.map((part) => (typeof part === 'object' ? JSON.stringify(part) : String(part))).join(' ')}`);
}

/** What an act returns; undefined when it was refused, which is printed. */
function attempt(name, act) {
  try {
    return act();
  } catch (error) {
    // What is left of a region depends on where its grants lie, what is left of a limit does not.
    log(name, error.code ?? error.stack, error.requested ?? '', error.code === 'ERR_OFFHEAP_LIMIT' ? error.available : '');
    return undefined;
  }
}

const blocks = []; // { memory, size, tag, pool, view }
const grants = []; // { memory, size, tag, owner, view }
const pools = []; // { pool, size, options }
const allocators = []; // { allocator, type, size: of one size only }
const pins = [];
const marks = [];
const dropped = []; // stays reachable: what a collection ends, it ends at some time

let number = 0;
/** Notes memory that was handed out, and fills it: with what it is told apart by from its neighbours. */
function keep(list, entry) {
  number += 1;
  const kept = { ...entry, number, tag: 1 + (number % 250) };
  kept.memory.fill(kept.tag);
  list.push(kept);
  return kept;
}

const zeros = Buffer.alloc(70_000);
const isZeroed = (memory) => zeros.subarray(0, memory.size).equals(memory.copyOut());
const isIntact = ({ memory, size, tag }) => Buffer.alloc(size, tag).equals(memory.copyOut());
const blockSize = () => (chance(3) ? 1 + random(3000) : pick(BLOCK_SIZES));

function freeSomehow(name, entry, doors) {
  const door = random(doors.length);
  attempt(`${name} ${door}`, () => doors[door]());
  log('freed', entry.number, entry.memory.isValid(), entry.view?.length ?? '-');
}

function forgetDead(list) {
  for (let at = list.length - 1; at >= 0; at -= 1) {
    if (!list[at].memory.isValid() && chance(2)) dropped.push(...list.splice(at, 1));
  }
  while (list.length > KEPT_MOST) {
    const [entry] = list.splice(random(list.length), 1);
    dropped.push(entry);
    attempt('too many', () => entry.memory.free());
  }
}

const ofBlocks = {
  allocate() {
    const size = blockSize();
    const alignment = pick([undefined, undefined, 'word', 8, 'none', 64, 'page']);
    const options = pick([undefined, undefined, undefined, { zeroed: true }, { label: 'x' }]);
    const memory = attempt('allocate', () => Manager.allocateMemory(size, alignment, options));
    if (memory === undefined) return;
    if (options?.zeroed) log('zeroed', isZeroed(memory));
    log(memory.size, memory.actualSize, memory.alignment, memory.label, memory.address % 16n, keep(blocks, { memory, size }).number);
  },
  allocateMany() {
    const most = random(20);
    const same = chance(2) ? blockSize() : undefined;
    for (let count = 0; count < most; count += 1) {
      const size = same ?? blockSize();
      const memory = attempt('allocate', () => Manager.allocateMemory(size));
      if (memory !== undefined) keep(blocks, { memory, size });
    }
  },
  free() {
    for (let count = random(20); count > 0 && blocks.length > 0; count -= 1) {
      const entry = pickLive(blocks);
      const { memory } = entry;
      const foreign = (pick(pools) ?? { pool: Manager }).pool;
      freeSomehow('free', entry, [
        () => memory.free(),
        () => memory.free(),
        () => memory[Symbol.dispose](),
        () => Manager.freeMemory(memory),
        () => (foreign === Manager ? Manager.freeMemory(memory) : foreign.release(memory)),
      ]);
      log(memory.freed, memory.freedTimestamp > 0, memory.freed && memory.freedTimestamp >= memory.allocatedTimestamp, memory.label);
    }
  },
  reallocate() {
    const entry = pickLive(blocks);
    if (entry === undefined) return;
    const size = blockSize();
    const memory = attempt('reallocate', () => Manager.reallocateMemory(entry.memory, size));
    if (memory === undefined) return;
    const kept = Math.min(size, entry.size);
    log(memory.size, memory.actualSize, memory.alignment, memory.label, memory.copyOut(0, kept).every((byte) => byte === entry.tag));
    keep(blocks, { memory, size });
    log(entry.memory.freed, entry.view?.length ?? '-');
  },
  sweep() {
    if (!chance(25)) return;
    log('swept', attempt('sweep', () => Manager.freeAllMemory()));
    for (const { memory } of blocks) log(memory.freed, memory.freedTimestamp > 0);
  },
};

const ofPools = {
  open() {
    if (pools.length > 6) return;
    const size = pick(POOL_SIZES);
    const most = pick([0, 1, 3, 64, 65, 1000, undefined]);
    const options = { zeroOnRelease: chance(2), zeroed: chance(2), ...(chance(3) && { limit: 1 + random(6) }), ...(chance(3) && { label: 'p' }) };
    pools.push({ pool: new MemoryPool(size, pick([undefined, 'word', 64]), most, options), size, options });
    log(size, most, options);
  },
  acquire() {
    const from = pick(pools);
    if (from === undefined) return;
    for (let count = 1 + random(10); count > 0; count -= 1) {
      const before = attempt('before', () => from.pool.getStats())?.hits;
      const memory = attempt('acquire', () => from.pool.acquire());
      if (memory === undefined) return;
      const isHit = from.pool.getStats().hits > before;
      if (from.options.zeroed || (isHit && from.options.zeroOnRelease)) log('zeroed', isZeroed(memory));
      log(isHit, memory.size, memory.alignment, memory.label);
      // One that nobody has written needs no zeroing when it comes back: some stay as they are.
      if (chance(4)) blocks.push({ memory, size: from.size, pool: from.pool, number: (number += 1) });
      else keep(blocks, { memory, size: from.size, pool: from.pool });
    }
  },
  release() {
    const own = blocks.filter(({ pool }) => pool !== undefined);
    for (let count = 1 + random(10); count > 0 && own.length > 0; count -= 1) {
      const entry = pickLive(own);
      const to = chance(6) ? pick(pools)?.pool : entry.pool;
      if (to !== undefined) freeSomehow('release', entry, [() => to.release(entry.memory)]);
    }
  },
  clear() {
    if (chance(3)) attempt('clear', () => pick(pools)?.pool.clear());
  },
  close() {
    if (!chance(5) || pools.length === 0) return;
    const at = random(pools.length);
    attempt('close', () => pools[at].pool.close());
    if (chance(2)) dropped.push(...pools.splice(at, 1));
  },
  stats() {
    for (const { pool } of pools) {
      const stats = attempt('stats', () => pool.getStats());
      if (stats !== undefined) log([stats.available, stats.inUse, stats.hits, stats.misses, stats.waiters]);
    }
  },
};

const inOrder = (type) => type === 'arena' || type === 'ring';

/** Whether another grant of mixed sizes leaves the allocator far from full. */
function hasRoom({ allocator, type, size }) {
  if (size !== undefined || inOrder(type)) return true;
  return grants.filter(({ owner, memory }) => owner.allocator === allocator && memory.isValid()).length < MIXED_MOST;
}

function grant(owner, size) {
  const { allocator } = owner;
  const label = chance(12) ? 'l' : undefined;
  const memory = attempt('grant', () => (chance(2) ? allocator.allocate(size, label) : allocator.tryAllocate(size)));
  if (memory === undefined || memory === null) return log('none', memory);
  keep(grants, { memory, size, owner });
  return log(memory.size, memory.label, memory.isValid(), owner.type === 'arena' ? memory.offset : '');
}

const ofAllocators = {
  open() {
    if (allocators.length > 6) return;
    const type = pick(TYPES);
    const size = chance(2) ? pick(GRANT_SIZES) : undefined;
    const total = size === undefined && !inOrder(type) ? MIXED_TOTAL : pick([64, 256, 1024]) * KIB;
    const name = `${type} ${total} ${size} ${random(2)}`;
    const options = type === 'ring' && chance(2) ? { overflow: 'overwrite-oldest' } : undefined;
    const allocator = attempt('open', () => AdvancedMemoryAllocator.getInstance(name, type, total, pick([undefined, 'word', 64]), options));
    if (allocator !== undefined) allocators.push({ allocator, type, size });
    log(name, allocator?.alignment);
  },
  grant() {
    const owner = pick(allocators);
    if (owner === undefined) return;
    const same = owner.size ?? (chance(2) ? pick(GRANT_SIZES) : undefined);
    for (let count = 1 + random(40); count > 0 && hasRoom(owner); count -= 1) grant(owner, same ?? pick(GRANT_SIZES));
  },
  free() {
    for (let count = 1 + random(60); count > 0 && grants.length > 0; count -= 1) {
      const entry = pickLive(grants);
      const { memory, owner } = entry;
      const other = (chance(4) ? pick(allocators) : undefined) ?? owner;
      const doors = [() => memory.free(), () => memory[Symbol.dispose](), () => other.allocator.free(memory), () => owner.allocator.free(memory)];
      freeSomehow('give', entry, doors);
    }
  },
  info() {
    const entry = pick(grants);
    if (entry !== undefined) log(entry.memory.isValid(), entry.memory.size, entry.memory.requestedSize, entry.memory.label);
  },
  mark() {
    const arena = pick(allocators.filter(({ type }) => type === 'arena'))?.allocator;
    const mark = arena === undefined ? undefined : attempt('mark', () => arena.mark());
    if (mark !== undefined) marks.push({ arena, mark });
  },
  rewind() {
    const last = chance(3) ? pick(marks) : undefined;
    if (last !== undefined) log('rewound', attempt('rewind', () => last.arena.rewind(last.mark)));
  },
  reset() {
    const owner = chance(4) ? pick(allocators) : undefined;
    if (owner !== undefined) log('reset', attempt('reset', () => owner.allocator.reset() ?? 'done'));
  },
  refused() {
    const own = pickLive(grants);
    const pin = own === undefined ? undefined : attempt('hold', () => own.memory.pin());
    if (pin === undefined) return;
    attempt('refused', () => (chance(2) ? own.owner.allocator.reset() : own.owner.allocator.close()));
    pin[Symbol.dispose]();
    log('still there', own.memory.isValid());
  },
  close() {
    if (!chance(8) || allocators.length === 0) return;
    const at = random(allocators.length);
    log('closed', attempt('close', () => allocators[at].allocator.close() ?? 'done'));
    if (chance(2)) dropped.push(...allocators.splice(at, 1));
  },
  stats() {
    for (const { allocator, type, size } of allocators) {
      const stats = attempt('stats', () => allocator.getStats());
      if (stats === undefined) continue;
      const { requestedSize, allocatedBlocks, allocatedSize, freeSize, largestFree, hits, misses } = stats;
      log(type, requestedSize, allocatedBlocks, allocatedSize, freeSize);
      if (inOrder(type) || (size !== undefined && allocatedBlocks === 0)) log(largestFree);
      log(type === 'pool' && size === undefined ? hits + misses : [hits, misses]);
    }
  },
};

const ofAll = {
  limit() {
    if (chance(2)) Manager.setLimit(null);
    else Manager.setLimit(Manager.getMemoryStats().currentAllocated + 1 + random(200_000));
  },
  noLimit: () => Manager.setLimit(null),
  pin() {
    const entry = pickLive(chance(2) ? blocks : grants);
    const pin = entry === undefined ? undefined : attempt('pin', () => entry.memory.pin());
    if (pin !== undefined) pins.push(pin);
  },
  unpin() {
    for (let count = 3; count > 0 && pins.length > 0; count -= 1) attempt('unpin', () => pins.splice(random(pins.length), 1)[0][Symbol.dispose]());
  },
  view() {
    const entry = pickLive(chance(2) ? blocks : grants);
    if (entry !== undefined) entry.view = attempt('view', () => entry.memory.bytes());
  },
  views: () => log([...blocks, ...grants].map(({ view }) => view?.length ?? '-').join()),
  copy() {
    const [from, to] = [pickLive(blocks), pickLive(chance(2) ? blocks : grants)];
    if (from?.tag === undefined || to?.tag === undefined) return;
    const length = Math.min(from.size, to.size);
    attempt('copy', () => {
      Manager.copyMemory(from.memory, 0, to.memory, 0, length);
      log('copied', Manager.mismatch(from.memory, 0, to.memory, 0, length), to.memory.getUint8(length - 1) === from.tag);
      to.memory.fill(to.tag);
    });
  },
  intact() {
    const live = [...blocks, ...grants].filter(({ memory, tag }) => tag !== undefined && memory.isValid());
    log('damaged', live.filter((entry) => !isIntact(entry)).map((entry) => entry.number));
  },
  rows() {
    if (!chance(6)) return;
    const counts = new Map();
    for (const { kind, owner, size, alignment, label, pinned, escaped, actualSize } of Manager.getAllocatedBlocks()) {
      const isRegion = kind === 'allocator';
      // Of an arena or ring: one row. Its label and size follow from its grants, and where these lie.
      const row = [kind, owner, isRegion ? '' : size, alignment, isRegion ? '' : label, pinned, escaped, isRegion ? '' : actualSize].join();
      counts.set(row, (counts.get(row) ?? 0) + 1);
    }
    log([...counts].toSorted());
  },
  stats() {
    const { totalAllocated, totalFreed, currentAllocated, peakAllocated, activeBlocks, minBlockSize, maxBlockSize } = Manager.getMemoryStats();
    log([totalAllocated, totalFreed, currentAllocated, peakAllocated, activeBlocks, minBlockSize, maxBlockSize]);
  },
  trim() {
    if (!chance(10)) return;
    Manager.trim();
    for (const { allocator } of allocators) attempt('trim', () => void allocator.trim());
  },
  forget: () => [blocks, grants].forEach(forgetDead),
};

const acts = Object.entries({ blocks: ofBlocks, pools: ofPools, allocators: ofAllocators, all: ofAll }).flatMap(([group, all]) => {
  return Object.entries(all).map(([name, act]) => [`${group}.${name}`, act]);
});
const often = acts.filter(([name]) => /allocateMany|blocks.free|acquire|release|grant|allocators.free|refused|all.stats/.test(name));

for (let count = 4; count > 0; count -= 1) [ofAllocators, ofPools].forEach(({ open }) => open());
for (; step < steps; step += 1) {
  const [name, act] = pick(chance(2) ? often : acts);
  log('>', name);
  act();
  if (step === 100 && seed % 4 === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
ofAll.stats();
process.stdout.write(`${lines.join('\n')}\n`);
