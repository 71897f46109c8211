// The rows of `npm run bench:jvm`: ours, and which benchmark of benchmark/jvm each peer is. A family's rows are measured at one time:
// ours, the peers by JMH, ours again.
import * as ours from './_jvm-ours.mjs';
import { memoriesOf } from './_ops-memory.mjs';
import * as ops from './_ops-ours.mjs';
import { compareOf, copyTo, fillOf, mismatchOf, swapHere, swapTo } from './_ops-rules.mjs';
import { KIB, MIB, PATTERN_LENGTH, sizeText } from './_scenarios.mjs';

export const group = 'jvm';
/** Whose rows have processes of their own. */
export const APART = ['pairs', 'mixed', 'regions', 'access'];

/** A benchmark of JMH, and the parameters with which it is a peer of a row. */
const peer = (benchmark, params = {}) => ({ benchmark, params });
const peers = (names, params) => Object.fromEntries(Object.entries(names).map(([name, benchmark]) => [name, peer(benchmark, params)]));

const pairRows = [64, KIB, 64 * KIB, MIB].flatMap((size) => [
  {
    family: 'pairs',
    operation: `pair ${sizeText(size)}, zeroed`,
    unit: 'ns',
    cases: { ours: () => ours.zeroedPairs(size) },
    peers: peers({
      'FFM confined': 'Pairs.ffmConfined',
      'FFM shared': 'Pairs.ffmShared',
      'Unsafe + setMemory': 'Pairs.unsafeZeroed',
      'Netty pooled + setZero': 'Pairs.nettyPooledZeroed',
      'Netty adaptive + setZero': 'Pairs.nettyAdaptiveZeroed',
    }, { size }),
  },
  {
    family: 'pairs',
    operation: `pair ${sizeText(size)}, uninitialised`,
    unit: 'ns',
    cases: { ours: () => ours.pairs(size) },
    peers: peers({ 'malloc by FFM': 'Pairs.ffmMalloc', 'Unsafe': 'Pairs.unsafe', 'Netty pooled': 'Pairs.nettyPooled', 'Netty adaptive': 'Pairs.nettyAdaptive' }, { size }),
  },
]);

const mixedRows = ['web', 'log'].flatMap((pattern) => [
  {
    family: 'mixed',
    operation: `'${pattern}' sizes, 200 alive, zeroed`,
    unit: 'ns',
    step: PATTERN_LENGTH,
    cases: { ours: () => ours.mixedZeroed(pattern) },
    peers: peers({ 'FFM confined': 'Mixed.ffmConfined', 'Netty pooled + setZero': 'Mixed.nettyPooledZeroed', 'Netty adaptive + setZero': 'Mixed.nettyAdaptiveZeroed' }, { pattern }),
  },
  {
    family: 'mixed',
    operation: `'${pattern}' sizes, 200 alive, uninitialised (hybrid)`,
    unit: 'ns',
    step: PATTERN_LENGTH,
    cases: { ours: () => ours.mixedGrants(pattern) },
    peers: peers({ 'malloc by FFM': 'Mixed.ffmMalloc', 'Unsafe': 'Mixed.unsafe', 'Netty pooled': 'Mixed.nettyPooled', 'Netty adaptive': 'Mixed.nettyAdaptive' }, { pattern }),
  },
]);

const regionRows = [
  {
    family: 'regions',
    operation: 'pool 1 KiB, acquire and release',
    unit: 'ns',
    cases: { ours: ours.pool },
    peers: peers({ 'ArrayDeque of segments, unchecked': 'Pools.segments', 'Netty pooled': 'Pools.nettyPooled', 'Netty adaptive': 'Pools.nettyAdaptive' }),
  },
  {
    family: 'regions',
    operation: 'arena 64 B, a thousand kept, then reset',
    unit: 'ns',
    step: 1000,
    cases: { ours: ours.arena },
    peers: peers({ 'FFM slicing': 'Arenas.ffmSlicing', 'FFM slicing, fresh slab': 'Arenas.ffmSlicingFreshSlab', 'FFM confined, allocate each': 'Arenas.ffmAllocateEach' }),
  },
  {
    family: 'regions',
    operation: 'ring 256 B, written in place and read',
    unit: 'ns',
    step: 1024,
    cases: { ours: ours.claimedMessages },
    peers: peers({ 'Agrona OneToOne': 'Rings.oneToOneClaim', 'Agrona ManyToOne': 'Rings.manyToOneClaim' }),
  },
  {
    family: 'regions',
    operation: 'ring 256 B, copied in and read',
    unit: 'ns',
    step: 1024,
    cases: { ours: ours.copiedMessages },
    peers: peers({ 'Agrona OneToOne': 'Rings.oneToOneWrite', 'Agrona ManyToOne': 'Rings.manyToOneWrite' }),
  },
];

/** A row of an operation on memory; `demands` are rates beside a peer's. */
const bulk = (size, name, rules, makeLoop, names, demands = []) => ({
  family: 'operations',
  operation: `${name} ${sizeText(size)}`,
  unit: 'GB/s',
  bytes: size,
  demands,
  cases: { ours: () => ops.ours(memoriesOf(size), rules, makeLoop) },
  peers: peers(names, { size }),
});

const demandedSwap = (size) => (size === MIB ? [{ times: 1.5, of: 'FFM' }] : []);

const swaps = (size, width) => [
  bulk(size, `swap copy, ${width}-byte words,`, swapTo(width), ops.swapLoop(width), { FFM: `Bulk.swap${width}Ffm` }, demandedSwap(size)),
  bulk(size, `swap in place, ${width}-byte words,`, swapHere(width), ops.swapHereLoop(width), { FFM: `Bulk.swapHere${width}Ffm` }, demandedSwap(size)),
];

const comparePeers = { FFM: 'Bulk.compareFfm', NIO: 'Bulk.compareNio', Agrona: 'Bulk.compareAgrona' };

const operationRows = [4 * KIB, 64 * KIB, MIB, 64 * MIB].flatMap((size) => [
  bulk(size, 'copy', copyTo, ops.copyLoop, { FFM: 'Bulk.copyFfm', Unsafe: 'Bulk.copyUnsafe', Agrona: 'Bulk.copyAgrona' }),
  bulk(size, 'fill', fillOf, ops.fillLoop, { FFM: 'Bulk.fillFfm', Unsafe: 'Bulk.fillUnsafe', Agrona: 'Bulk.fillAgrona' }),
  bulk(size, 'compare', compareOf(size), ops.compareLoop, comparePeers, size === 4 * KIB ? [{ times: 3, of: 'FFM' }] : []),
  bulk(size, 'mismatch', mismatchOf(size), ops.mismatchLoop, { FFM: 'Bulk.mismatchFfm', NIO: 'Bulk.mismatchNio' }),
  ...(size === MIB ? [2, 4, 8] : [8]).flatMap((width) => swaps(size, width)),
]);

const access = (operation, make, names) => ({ family: 'access', operation, unit: 'ns', step: ours.ACCESSES, cases: { ours: make }, peers: peers(names) });

const accessRows = [
  access('random get, 32 bits', ours.randomGet, { FFM: 'Access.getFfm', Unsafe: 'Access.getUnsafe', NIO: 'Access.getNio' }),
  access('random get, 32 bits, other byte order', ours.randomGetOther, { FFM: 'Access.getFfmOther' }),
  access('random set, 32 bits', ours.randomSet, { FFM: 'Access.setFfm', Unsafe: 'Access.setUnsafe', NIO: 'Access.setNio' }),
];

export const rows = [...pairRows, ...mixedRows, ...regionRows, ...operationRows, ...accessRows];
