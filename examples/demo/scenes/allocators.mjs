// @ts-check
// One part for each of the six ways to cut a region: pieces of the file are carved, written, read back and freed out of order.
import { codeOf } from '../checks.mjs';
import { meanNs } from '../clock.mjs';
import { apart, carve, freeAll, intact, totalOf } from '../pieces.mjs';
import { bytesText, nsText } from '../printer.mjs';

const KIB = 1024;
const MIB = 1024 * KIB;
const WARM_UP_MS = 40;
const DEAD = 'ERR_OFFHEAP_USE_AFTER_FREE';
const TWICE = 'ERR_OFFHEAP_DOUBLE_FREE';

/** @type {import('../types.js').Scene} */
export const allocators = {
  name: 'allocators',
  about: 'six ways to cut a region of native memory, on pieces of the file',
  async run(context) {
    buddy(context);
    slab(context);
    arena(context);
    ring(context);
    objectPool(context);
    hybrid(context);
    endings(context);
    showStats(context);
    await pairs(context);
  },
};

/** @typedef {import('../types.js').Context} Context */

/** @template Value @param {number} count @param {(index: number) => Value} make */
const many = (count, make) => Array.from({ length: count }, (_, index) => make(index));

/** Keeps what an allocator says of itself in the middle of its part. @param {Context} context @param {import('offheap').AdvancedMemoryAllocator} allocator */
function keepStats({ facts }, allocator) {
  const { allocatedSize, requestedSize, allocatedBlocks, largestFree, utilizationPercent, fragmentationPercent } = allocator.getStats();
  const { internal, external } = fragmentationPercent;
  const all = /** @type {import('../types.js').Facts} */ (facts.stats ??= {});
  all[allocator.type] = { allocatedSize, requestedSize, allocatedBlocks, largestFree, utilizationPercent, internal, external };
}

/** @param {Context} context */
function showStats({ facts, printer }) {
  const rows = Object.entries(facts.stats ?? {}).map(([type, { allocatedBlocks, allocatedSize, requestedSize, utilizationPercent, internal, external }]) =>
    [type, String(allocatedBlocks), bytesText(requestedSize), bytesText(allocatedSize), ...[utilizationPercent, internal, external].map((percent) => `${percent.toFixed(1)} %`)]);
  printer.table(['while carved', 'grants', 'asked', 'allocated', 'utilized', 'internal', 'external'], rows);
}

/** @param {Context} context */
function buddy(context) {
  const { input, ledger, checks } = context;
  const allocator = ledger.open('demo buddy', 'buddy', 4 * MIB);
  const pieces = carve(allocator, input.bytes, [100, 5000, 64, 70_000, 4096, 300_000, 1, 12_345]);
  keepStats(context, allocator);
  const atMultiples = pieces.every(({ memory }) => memory.offset % memory.allocatedSize === 0);
  checks.that('buddy: blocks at multiples of their size hold their bytes', atMultiples && apart(pieces) && intact(pieces, input.bytes), { bytes: totalOf(pieces) });
  freeAll(allocator, pieces);
  checks.throwsFor('buddy: each of them freed twice', TWICE, pieces, ({ memory }) => allocator.free(memory));
  const { freeBlocks, largestFree } = allocator.getStats();
  checks.equal('buddy: all freed out of order is one block again', [freeBlocks, largestFree], [1, 4 * MIB], { bytes: largestFree });
  ledger.close(allocator);
}

/** @param {Context} context */
function slab(context) {
  const { input, ledger, checks } = context;
  const allocator = ledger.open('demo slab', 'slab', MIB);
  const records = carve(allocator, input.bytes, many(1000, () => 120));
  keepStats(context, allocator);
  const { allocatedBlocks, requestedSize, allocatedSize } = allocator.getStats();
  checks.equal('slab: 1000 records of 120 bytes in slots of 128', [allocatedBlocks, requestedSize, allocatedSize], [1000, 120_000, 128_000], { bytes: requestedSize });
  const [kept, freed] = [records.filter((_, index) => index % 2 === 0), records.filter((_, index) => index % 2 === 1)];
  freeAll(allocator, freed);
  const refilled = carve(allocator, input.bytes, freed.map(() => 128), 500_000);
  const all = [...kept, ...refilled];
  checks.that('slab: every second one given anew, the others untouched', apart(all) && intact(all, input.bytes), { bytes: totalOf(all) });
  checks.throwsFor('slab: a freed record, read', DEAD, freed, ({ memory }) => memory.getInt32(0));
  freeAll(allocator, all);
  checks.equal('slab: all of the region is free again', allocator.getStats().freeSize, MIB, { bytes: MIB });
  ledger.close(allocator);
}

/** @param {Context} context */
function arena(context) {
  const { input, ledger, checks } = context;
  const allocator = ledger.open('demo arena', 'arena', 4 * MIB, 'cache-line');
  const header = carve(allocator, input.bytes, [64, 1000]);
  const before = allocator.getStats().allocatedSize;
  const mark = allocator.mark();
  const scratch = carve(allocator, input.bytes, many(200, (index) => 1 + 37 * index), 2000);
  keepStats(context, allocator);
  checks.that('arena: 202 ranges one behind the other hold their bytes', apart([...header, ...scratch]) && intact([...header, ...scratch], input.bytes), { bytes: totalOf(scratch) });
  allocator.rewind(mark);
  checks.equal('arena: rewind takes back what came after the mark', allocator.getStats().allocatedSize, before, { bytes: totalOf(scratch) });
  checks.throwsFor('arena: handles from after the mark', DEAD, scratch, ({ memory }) => memory.bytes());
  checks.that('arena: what came before the mark is as it was', intact(header, input.bytes), { bytes: totalOf(header) });
  ledger.close(allocator);
}

/** @param {Context} context */
function ring(context) {
  const { input, ledger, checks } = context;
  const frame = 16 * KIB;
  const allocator = ledger.open('demo ring', 'ring', 4 * frame);
  const frames = carve(allocator, input.bytes, many(4, () => frame));
  keepStats(context, allocator);
  const [first, second, ...rest] = frames;
  if (first === undefined || second === undefined) throw new Error('four were carved');
  allocator.free(second.memory);
  checks.equal('ring: full, and the second of four freed: no room yet', allocator.tryAllocate(frame), null);
  allocator.free(first.memory);
  const more = carve(allocator, input.bytes, [frame, frame], 4 * frame);
  checks.equal('ring: the first freed too: both come back, in order', more.map(({ memory }) => memory.offset), [first.memory.offset, second.memory.offset], { bytes: 2 * frame });
  checks.that('ring: four frames hold their bytes', intact([...rest, ...more], input.bytes), { bytes: 4 * frame });
  ledger.close(allocator);

  const last = ledger.open('demo last four', 'ring', 4 * frame, 'word', { overflow: 'overwrite-oldest' });
  const ten = carve(last, input.bytes, many(10, () => frame));
  checks.equal('ring, overwrite-oldest: the last four of ten live', ten.map(({ memory }) => memory.isValid()), many(10, (index) => index >= 6), { bytes: 10 * frame });
  checks.that('ring, overwrite-oldest: and hold their bytes', intact(ten.slice(6), input.bytes), { bytes: 4 * frame });
  ledger.close(last);
}

/** @param {Context} context */
function objectPool(context) {
  const { input, ledger, checks } = context;
  const allocator = ledger.open('demo pool', 'pool', MIB);
  const objects = carve(allocator, input.bytes, many(300, () => KIB));
  keepStats(context, allocator);
  checks.that('object pool: 300 objects of 1 KiB hold their bytes', apart(objects) && intact(objects, input.bytes), { bytes: totalOf(objects) });
  const returned = objects.slice(100, 110);
  const offsets = returned.map(({ memory }) => memory.offset);
  for (const { memory } of returned) allocator.free(memory);
  const again = carve(allocator, input.bytes, returned.map(() => KIB), 400_000);
  checks.equal('object pool: what was freed last is handed out first', again.map(({ memory }) => memory.offset), offsets.toReversed(), { bytes: totalOf(again) });
  const all = [...objects.filter((object) => !returned.includes(object)), ...again];
  checks.that('object pool: the others have all their bytes', intact(all, input.bytes), { bytes: totalOf(all) });
  freeAll(allocator, all);
  checks.equal('object pool: nothing is left in use', allocator.getStats().allocatedBlocks, 0);
  ledger.close(allocator);
}

/** @param {Context} context */
function hybrid(context) {
  const { input, ledger, checks } = context;
  const allocator = ledger.open('demo hybrid', 'hybrid', 8 * MIB);
  const sizes = [15, 64, 256, 635, 1024, 2048, 4574, 8447, 16_384, 16_385, 100_000, 700_000];
  const pieces = carve(allocator, input.bytes, sizes);
  keepStats(context, allocator);
  checks.that('hybrid: 15 bytes to 700 KB side by side hold their bytes', apart(pieces) && intact(pieces, input.bytes), { bytes: totalOf(pieces) });
  freeAll(allocator, pieces);
  checks.equal('hybrid: all freed out of order is one range again', allocator.getStats().largestFree, 8 * MIB, { bytes: 8 * MIB });
  const whole = allocator.allocate(8 * MIB);
  checks.equal('hybrid: spans and large ranges become one grant', [whole.offset, whole.allocatedSize], [0, 8 * MIB], { bytes: whole.size });
  ledger.close(allocator);
}

/** What ends all grants, and whose memory is whose. @param {Context} context */
function endings({ ledger, checks }) {
  const allocator = ledger.open('demo endings', 'slab', MIB);
  const other = ledger.open('demo other', 'slab', MIB);
  const memory = allocator.allocate(100, 'demo: endings');
  const view = memory.bytes().fill(7);
  checks.throws("memory of one allocator given to another's free", 'ERR_OFFHEAP_FOREIGN_BLOCK', () => other.free(memory));
  const mismatch = codeOf(() => ledger.open('demo endings', 'buddy', MIB));
  checks.equal('the same name for another type: a mismatch', mismatch, 'ERR_OFFHEAP_CONFIG_MISMATCH');
  const pin = memory.pin();
  checks.throws('reset while one grant is pinned', 'ERR_OFFHEAP_IN_USE', () => allocator.reset());
  checks.equal('and nothing has changed', [memory.getUint8(99), view.length], [7, 100]);
  pin[Symbol.dispose]();
  allocator.reset();
  checks.equal('reset: every view of the region is empty', [view.length, memory.isValid()], [0, false]);
  checks.throws('reset: every handle is dead', DEAD, () => memory.fill(0));
  ledger.close(allocator);
  ledger.close(other);
  checks.throws('close: the allocator is dead', 'ERR_OFFHEAP_CLOSED', () => allocator.allocate(1));
}

/** Allocate and free, by type; an arena is reset before it is full. @param {Context} context */
async function pairs({ ledger, facts, printer }) {
  /** @type {readonly [import('offheap').AllocatorType, number][]} */
  const cases = [['buddy', 4096], ['slab', 128], ['arena', 64], ['ring', 256], ['pool', 1024], ['hybrid', 635]];
  /** @type {import('../types.js').Facts} */
  const figures = (facts.pairNs = {});
  for (const [type, size] of cases) {
    const allocator = ledger.open(`demo pairs ${type}`, type, MIB);
    const most = Math.floor(MIB / size);
    /** @param {number} count */
    const loop = (count) => {
      if (type !== 'arena') {
        for (let index = 0; index < count; index += 1) allocator.free(allocator.allocate(size));
        return;
      }
      for (let index = 0; index < count; index += 1) {
        if (index % most === 0) allocator.reset();
        allocator.allocate(size);
      }
    };
    const { ns } = await meanNs(loop, WARM_UP_MS); // oxlint-disable-line no-await-in-loop -- one measurement at a time
    figures[type] = ns;
    ledger.close(allocator);
  }
  const times = Object.values(figures).map((ns) => nsText(Number(ns)));
  printer.table(['allocate + free', ...cases.map(([type]) => type)], [['of', ...cases.map(([, size]) => bytesText(size))], ['takes', ...times]]);
}
