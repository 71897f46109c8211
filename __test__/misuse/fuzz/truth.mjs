// What should be live, as plain lists: blocks, tokens, pools, allocators and their memory. Whoever ends something says so here.
import { AdvancedMemoryAllocator, DirectMemoryManager as dmm, MemoryBlock, MemoryPool, check, fail, same } from '../_allocators.mjs';

export const TYPES = ['buddy', 'slab', 'arena', 'ring', 'pool', 'hybrid'];
const TOTALS = [4096, 65_536, 100_000, 2 ** 20];
const KNOWN_MAX = 4000;
const live = (list) => list.filter(({ isLive }) => isLive);
const isFree = ({ isLive, pins }) => isLive && pins.length === 0;

export function makeTruth({ below, pick }) {
  const blocks = []; // { block, size, isLive, pins, hasEscaped, pool, isShared }
  const tokens = []; // { token, size, isOffered }
  const pools = []; // { pool, isClosed }
  const regions = []; // { allocator, isOpen, life, nextAge, marks }
  const memories = []; // { memory, size, isLive, pins, region, age, life }
  const entries = new WeakMap();
  const totals = { escaped: 0 };

  const entryOf = (handle) => (typeof handle === 'object' && handle !== null ? entries.get(handle) : undefined);

  function enter(list, handle, entry) {
    check(!entries.has(handle), `a handle of its own: ${handle}`);
    entries.set(handle, entry);
    list.push(entry);
    return handle;
  }

  const adopt = (block, pool) => enter(blocks, block, { block, size: block.size, isLive: true, pins: [], hasEscaped: false, pool });

  function died(handle) {
    const entry = entryOf(handle);
    if (entry === undefined || !entry.isLive) fail(`something died that did not live: ${handle}`);
    if (entry.pins.length > 0) fail(`what was pinned died: ${handle}`);
    entry.isLive = false;
    if (entry.hasEscaped) totals.escaped += entry.size;
  }

  function adoptPool(pool) {
    return enter(pools, pool, { pool, isClosed: false });
  }

  /** The same object for a name that is open, another for one that was closed meanwhile. */
  function adoptRegion(allocator, overflow) {
    const known = entryOf(allocator);
    if (known?.isOpen) return allocator;
    check(known === undefined, `a closed allocator is not handed out: ${allocator}`);
    return enter(regions, allocator, { allocator, isOpen: true, life: 0, nextAge: 0, marks: [], isOverwriting: overflow === 'overwrite-oldest' });
  }

  function adoptMemory(memory, region) {
    region.nextAge += 1;
    enter(memories, memory, { memory, size: memory.size, isLive: true, pins: [], region, age: region.nextAge, life: region.life });
    if (region.isOverwriting) overwritten(region);
    return memory;
  }

  const ofRegion = (region) => memories.filter((entry) => entry.isLive && entry.region === region);

  /** A ring ended its oldest, to make room. */
  function overwritten(region) {
    let mayEnd = true;
    for (const entry of ofRegion(region)) {
      const isValid = entry.memory.isValid();
      if (!isValid) check(mayEnd, `${entry.memory} was not the oldest`);
      mayEnd = !isValid;
      if (!isValid) died(entry.memory);
    }
  }

  /** Reset or closed: nothing was pinned, and everything is over. */
  function cleared(region, closes) {
    for (const { memory } of ofRegion(region)) died(memory);
    region.life += 1;
    region.marks.length = 0;
    if (closes) region.isOpen = false;
  }

  function rewound(mark, region) {
    const { age } = region.marks.find((each) => each.mark === mark) ?? fail('a rewind to a mark that is none');
    for (const { memory, age: born } of ofRegion(region)) if (born > age) died(memory);
    region.marks = region.marks.filter((each) => each.age <= age);
  }

  /** Everything that was live is dead now, but what is pinned or a pool's; what escaped may stay or go. */
  function sweptAll() {
    for (const entry of live(blocks)) {
      if (!entry.block.isValid()) died(entry.block);
      else check(entry.pins.length > 0 || entry.hasEscaped || entry.pool !== undefined, `freeAllMemory leaves nothing else: ${entry.block}`);
    }
    for (const token of tokens) token.isOffered = false;
  }

  const WAYS = [
    () => endBlock((block) => block.free()),
    () => {
      const entry = pick(blocks.filter((each) => isFree(each) && !each.hasEscaped && each.pool === undefined));
      if (entry === undefined) return;
      const next = dmm.reallocateMemory(entry.block, 1 + below(5000));
      died(entry.block);
      adopt(next);
    },
    () => pick(live(blocks).filter(({ hasEscaped }) => !hasEscaped))?.block.toArrayBuffer(),
    () => {
      const entry = pick(memories.filter(isFree));
      entry?.memory.free();
      if (entry !== undefined) died(entry.memory);
    },
    () => endRegion('reset'),
    () => endRegion('close'),
    () => pick(pools.filter(({ isClosed }) => !isClosed))?.pool.clear(),
    () => dmm.trim(),
  ];

  function endBlock(end) {
    const entry = pick(blocks.filter((each) => isFree(each) && !each.hasEscaped));
    if (entry === undefined) return;
    end(entry.block);
    died(entry.block);
  }

  function endRegion(way) {
    const region = pick(regions.filter((each) => each.isOpen && ofRegion(each).every(isFree)));
    if (region === undefined) return;
    region.allocator[way]();
    cleared(region, way === 'close');
  }

  /** What hostile arguments do when they are asked for a value. */
  const kill = () => pick([WAYS[0], WAYS[0], WAYS[3], WAYS[3], ...WAYS])();

  const openRegion = () => {
    const type = pick(TYPES);
    const overflow = type === 'ring' && below(2) === 0 ? 'overwrite-oldest' : 'error';
    const name = `fuzz ${type} ${below(40)}`;
    if (regions.some(({ isOpen, allocator }) => isOpen && allocator.name === name)) return;
    adoptRegion(AdvancedMemoryAllocator.getInstance(name, type, pick(TOTALS), pick(['word', 64, undefined]), { overflow }), overflow);
  };

  /** Now and then: pins go, and things are made and ended so that no kind runs out or piles up. */
  function tend() {
    for (const entry of [...blocks, ...memories]) if (entry.pins.length > 0 && below(2) === 0) entry.pins.shift()[Symbol.dispose]();
    for (let missing = 12 - live(blocks).length; missing > 0; missing -= 1) adopt(dmm.allocateMemory(1 + below(10_000)));
    for (const { block } of blocks.filter(isFree).slice(40)) {
      block.free();
      died(block);
    }
    if (regions.filter(({ isOpen }) => isOpen).length < 6) openRegion();
    if (regions.filter(({ isOpen }) => isOpen).length > 16) endRegion('close');
    if (pools.filter(({ isClosed }) => !isClosed).length < 3) adoptPool(new MemoryPool(pick([64, 1000, 40_000]), undefined, below(5), { limit: 1 + below(6), label: 'fuzz' }));
    for (const { memory } of memories.filter(isFree).slice(60)) {
      memory.free();
      died(memory);
    }
    for (const list of [blocks, memories]) if (list.length > KNOWN_MAX) list.splice(0, list.length, ...list.filter(({ isLive }, index) => isLive || index > KNOWN_MAX - 200));
    for (const each of tokens.filter(({ isOffered }) => isOffered).slice(5)) attach(each);
    tokens.splice(0, Math.max(0, tokens.length - 50), ...tokens.slice(0, Math.max(0, tokens.length - 50)).filter(({ isOffered }) => isOffered));
  }

  function attach(each) {
    each.isOffered = false;
    entryOf(adopt(MemoryBlock.attach(each.token))).isShared = true;
  }

  /** Who waits for a block is turned away. */
  function closePools() {
    for (const each of pools) {
      each.pool.close();
      each.isClosed = true;
    }
  }

  /** Everything that was made here ends. */
  function endAll() {
    for (const { pins } of [...blocks, ...memories]) for (const pin of pins.splice(0)) pin[Symbol.dispose]();
    for (const each of tokens.filter(({ isOffered }) => isOffered)) attach(each);
    for (const { block } of live(blocks)) {
      block.free();
      died(block);
    }
    for (const region of regions.filter(({ isOpen }) => isOpen)) {
      region.allocator.close();
      cleared(region, true);
    }
    same(live(memories).length, 0, 'memory that outlives its allocator');
  }

  return { blocks, tokens, pools, regions, memories, totals, entryOf, live, ofRegion, adopt, adoptPool, adoptRegion, adoptMemory, died, cleared, rewound, sweptAll, kill, tend, closePools, endAll };
}
