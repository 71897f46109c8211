// What TypeScript and Rust both say must be the same:
// - the list of error codes, in its order, and the status of a native call
// - where arguments, results and records lie: liveness, pins, span, offset, granted size and id, in every segment of records
// - size classes: what the facade computes is what the rows of the native side show, for every kind of size
// - codes of alignments, and the labels' numbers
import test from 'ava';
import { AlignmentMode, DirectMemoryManager as Manager } from '../index.js';
import type { MemoryBlock } from '../index.js';
import { ERROR_CODES } from '../facade/errors.js';
import { ROW, alignmentCode, alignmentOf, labelText } from '../facade/handles/facts.js';
import { ARGUMENT, RESULT, T, addressOf, grantedOf, idOf, isLive, offsetOf, pinsOf, setHandle, setWide, spanOf, status } from '../facade/handles/table.js';
import { binding } from '../facade/native.js';
import { validateAlignment } from '../facade/options.js';
import { freeEverything } from './_settled.js';

const SLOTS = 2 ** 24;
const slotOf = (block: MemoryBlock): number => block.id % SLOTS;
/** While live a generation is odd, and an id holds its half. */
const generationOf = (block: MemoryBlock): number => Math.floor(block.id / SLOTS) * 2 + 1;
const rowOf = (block: MemoryBlock): number[] => [...binding.rowOf(slotOf(block))];
const field = (row: number[], name: keyof typeof ROW): number => row[ROW[name]] as number;

test.afterEach.always('nothing stays', async (t) => {
  t.is(await freeEverything(), 0);
});

test.serial('the error codes of the binding are those of the facade, in its order', (t) => {
  t.deepEqual(binding.errorCodes(), [...ERROR_CODES]);
  t.is(new Set(ERROR_CODES).size, ERROR_CODES.length);
});

test.serial('a native call finds its arguments and leaves its results where the facade looks', (t) => {
  t.is(T[0], binding.systemInfo().layout);
  setWide(0, 2 ** 33 + 7);
  t.deepEqual([T[ARGUMENT], T[ARGUMENT + 1]], [7, 2]);
  setWide(0, 100);
  T[ARGUMENT + 2] = alignmentCode('page', -1) | (1 << 8) | (binding.internLabel('by hand') << 16);
  binding.allocate();
  t.is(status(), 0);
  const [slot = -1, generation = -1] = [T[RESULT + 1], T[RESULT + 2]];
  const [row] = Manager.getAllocatedBlocks();
  t.like(row, { id: idOf(slot, generation), size: 100, alignment: 'page', label: 'by hand' });
  setHandle(slot, generation);
  binding.free();
  t.is(status(), 0);
  setHandle(slot, generation);
  binding.free();
  t.is(ERROR_CODES[status() - 1], 'ERR_OFFHEAP_DOUBLE_FREE');
  setWide(0, 2 ** 50);
  binding.allocate();
  t.is(ERROR_CODES[status() - 1], 'ERR_OFFHEAP_OUT_OF_MEMORY');
  t.is((T[RESULT + 4] as number) + (T[RESULT + 5] as number) * 2 ** 32, 2 ** 50);
});

test.serial('liveness, pins, span, offset and id are read from the records as the native side writes them', (t) => {
  const sizes = [1, 16, 100, 4096, 5000, 32_768, 40_000, 2 ** 20];
  const blocks = Array.from({ length: 400 }, (_, index) => Manager.allocateMemory(sizes[index % sizes.length] as number));
  const pins = blocks.slice(0, 50).flatMap((block, index) => Array.from({ length: index * 7 }, () => block.pin()));
  blocks.forEach((block, index) => {
    const [slot, generation, row] = [slotOf(block), generationOf(block), rowOf(block)];
    t.deepEqual([field(row, 'slot'), field(row, 'generation')], [slot, generation]);
    t.is(idOf(slot, generation), block.id);
    t.deepEqual([isLive(slot, generation), isLive(slot, generation + 2), isLive(slot, generation - 1)], [true, false, false]);
    t.is(pinsOf(slot), index < 50 ? index * 7 : 0);
    t.is(pinsOf(slot), field(row, 'pins'));
    t.is(BigInt(field(row, 'address')), block.address);
    t.is(addressOf(slot), block.address);
    const place = binding.spanBuffer(spanOf(slot), offsetOf(slot), 1);
    t.is(BigInt(binding.bufferAddress(place as ArrayBuffer)), block.address);
    t.true(offsetOf(slot) + grantedOf(slot) <= binding.spanSize(spanOf(slot)));
  });
  for (const pin of pins) pin[Symbol.dispose]();
  for (const block of blocks) {
    const [slot, generation] = [slotOf(block), generationOf(block)];
    t.is(pinsOf(slot), 0);
    block.free();
    t.false(isLive(slot, generation));
    t.deepEqual(rowOf(block), []);
  }
});

test.serial('records of the second segment are read as well', (t) => {
  const blocks = Array.from({ length: 70_000 }, () => Manager.allocateMemory(16));
  const far = blocks.filter((block) => slotOf(block) >= 65_536);
  t.true(far.length > 1000);
  for (const block of far.filter((_, index) => index % 97 === 0)) {
    const slot = slotOf(block);
    block.setInt32(8, slot);
    t.is(block.getInt32(8), slot);
    t.true(isLive(slot, generationOf(block)));
    t.is(grantedOf(slot), 16);
    t.is(BigInt(binding.bufferAddress(binding.spanBuffer(spanOf(slot), offsetOf(slot), 1) as ArrayBuffer)), block.address);
    using pin = block.pin();
    t.truthy(pin);
    t.is(pinsOf(slot), 1);
    t.is(block.bytes(8, 4)[0], slot & 0xff);
  }
  t.is(new Set(blocks.map(({ id }) => id)).size, blocks.length);
  for (const block of blocks) block.free(); // a viewed one whose handle was dropped waits for its finalizer
});

/** Every size up to 300, and the neighbourhood of everything that could be the edge of a class. */
function sizesAtEdges(): number[] {
  const sizes = new Set(Array.from({ length: 300 }, (_, index) => index + 1));
  for (let log2 = 8; log2 <= 32; log2 += 1) {
    for (const quarter of [4, 5, 6, 7]) for (const step of [-1, 0, 1]) sizes.add(2 ** (log2 - 2) * quarter + step);
  }
  return [...sizes];
}

test.serial('what a block was granted is the same in the facade, the rows and the books, and a fifth is lost at most', (t) => {
  for (const size of sizesAtEdges()) {
    const block = Manager.allocateMemory(size);
    const granted = grantedOf(slotOf(block));
    if (block.actualSize !== granted || field(rowOf(block), 'actualSize') !== granted) t.fail(`${size}: ${granted}, ${field(rowOf(block), 'actualSize')}`);
    if (field(rowOf(block), 'size') !== size) t.fail(`${size}`);
    if (granted < size || (size > 64 && (granted - size) * 5 > granted)) t.fail(`${granted} for ${size}`);
    if (Manager.getAllocatedBlocks()[0]?.actualSize !== granted) t.fail(`row of ${size}`);
    block.free();
  }
  t.is(grantedOf(slotOf(Manager.allocateMemory(1))), 16);
  t.is(grantedOf(slotOf(Manager.allocateMemory(65))), 80);
});

test.serial('the chunk under a buffer has the granted size', (t) => {
  for (const size of [1, 16, 17, 65, 1000, 4097, 33_000, 1_000_001]) {
    const block = Manager.allocateMemory(size);
    t.is(block.bytes().buffer.byteLength, block.actualSize);
    t.is(block.bytes().byteOffset, 0);
  }
});

test.serial('every alignment comes back from the native side as it was asked', (t) => {
  for (const alignment of [...Object.values(AlignmentMode), ...Array.from({ length: 31 }, (_, log2) => 2 ** log2)]) {
    const { mode, log2 } = validateAlignment(alignment);
    const code = alignmentCode(mode, log2);
    t.is(alignmentOf(code), alignment);
    const block = Manager.allocateMemory(10, alignment);
    t.is(field(rowOf(block), 'alignment'), code);
    block.free();
  }
});

test.serial('labels have numbers, the same for the same text, and 0 is none', (t) => {
  t.is(labelText(0), undefined);
  const numbers = ['a', 'b', 'a', 'ä\u{1f600}', 'x'.repeat(256), 'b'].map((text) => binding.internLabel(text));
  t.deepEqual([numbers[2], numbers[5]], [numbers[0], numbers[1]]);
  t.is(new Set(numbers).size, 4);
  t.is(labelText(numbers[3] as number), 'ä\u{1f600}');
  t.is(labelText(numbers[4] as number), 'x'.repeat(256));
});
