// @ts-check
// The file's first 64 MiB as a frame that four tasks of a worker pool turn into its negative: in one memory, without a copy.
import { DirectMemoryManager, MemoryBlock } from 'offheap';
import { FRAME_BYTES, allocateFrame, invertFrame } from '../../frame-in-tiles.mjs';
import { bytesText } from '../printer.mjs';

const TILES = 4;
const COLOURS = 0x00ffffff;

/** The ordinary way: a copy on the heap. @param {Buffer} bytes */
function negativeOf(bytes) {
  const copy = new Uint8Array(FRAME_BYTES);
  copy.set(bytes.subarray(0, FRAME_BYTES));
  const pixels = new Uint32Array(copy.buffer);
  for (let index = 0; index < pixels.length; index += 1) pixels[index] = /** @type {number} */ (pixels[index]) ^ COLOURS;
  return copy;
}

/** @type {import('../types.js').Scene} */
export const workers = {
  name: 'workers',
  about: 'one block in the hands of several threads',
  async run({ input, ledger, checks, facts, printer }) {
    const frame = ledger.keep(allocateFrame());
    frame.bytes().set(input.bytes.subarray(0, FRAME_BYTES));
    const view = frame.bytes();
    const started = performance.now();
    const tasks = await invertFrame(frame, TILES);
    const ms = performance.now() - started;
    ledger.sharedWith(TILES, frame.size);
    checks.equal(`${TILES} tasks of a worker pool counted themselves`, tasks, TILES);
    const isNegative = DirectMemoryManager.compareMemory(frame, 0, negativeOf(input.bytes), 0, FRAME_BYTES) === 0;
    checks.that('every pixel is the negative, in place', isNegative, { bytes: FRAME_BYTES, ms });
    checks.equal('the view from before shows it too', view[0], /** @type {number} */ (input.bytes[0]) ^ 0xff);

    const token = frame.share();
    const other = ledger.keep(MemoryBlock.attach(token));
    checks.throws('a token attaches once', 'ERR_INVALID_ARG_VALUE', () => MemoryBlock.attach(token));
    checks.equal('another holder, the same memory', [other.address, other.id === frame.id], [frame.address, false]);
    ledger.free(frame);
    checks.equal("the other's free ended this view alone", [view.length, other.getUint8(0)], [0, /** @type {number} */ (input.bytes[0]) ^ 0xff]);
    ledger.free(other);
    facts.tasks = tasks;
    printer.note(`${bytesText(FRAME_BYTES)} in ${TILES} tiles, threads started and ended, ${ms.toFixed(0)} ms`);
  },
};
