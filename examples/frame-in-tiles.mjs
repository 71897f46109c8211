// @ts-check
// A frame of 64 MiB that four tasks of a worker pool (piscina) work on in place: each gets a token and attaches the same memory; nothing is
// copied. `node examples/frame-in-tiles.mjs` inverts the frame's colours, and checks every byte.
import { DirectMemoryManager, MemoryBlock } from 'offheap';
import { availableParallelism } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Piscina } from 'piscina';

const WIDTH = 4096;
const HEIGHT = 4096;
const BYTES_PER_PIXEL = 4;
export const FRAME_BYTES = WIDTH * HEIGHT * BYTES_PER_PIXEL;
const ALPHA_LAST = 0x00ffffff; // of a little-endian pixel: red, green and blue are inverted, alpha stays

/**
 * A worker's task: inverts one tile of the frame, and counts how often it was done in the frame's last word.
 * @param {{ token: import('offheap').SharedToken, offset: number, length: number }} task
 */
export function invertTile({ token, offset, length }) {
  const frame = MemoryBlock.attach(token);
  try {
    const pixels = frame.view(Uint32Array, offset, length / BYTES_PER_PIXEL);
    for (let index = 0; index < pixels.length; index += 1) pixels[index] = /** @type {number} */ (pixels[index]) ^ ALPHA_LAST;
    return frame.atomicAdd('i32', FRAME_BYTES, 1) + 1;
  } finally {
    frame.free();
  }
}

/** Memory for a frame, and a word after it in which tasks count. */
export const allocateFrame = () => DirectMemoryManager.allocateMemory(FRAME_BYTES + 64, 'page', { zeroed: true, label: 'frame' });

/**
 * Inverts a frame in place, each tile by a task of its own. Returns how many tasks came to their end.
 * @param {MemoryBlock} frame
 * @param {number} tiles
 */
export async function invertFrame(frame, tiles = 4) {
  const pool = new Piscina({ filename: fileURLToPath(import.meta.url), maxThreads: Math.min(tiles, availableParallelism()) });
  try {
    const length = FRAME_BYTES / tiles;
    const tasks = Array.from({ length: tiles }, (_, tile) => pool.run({ token: frame.share(), offset: tile * length, length }, { name: 'invertTile' }));
    await Promise.all(tasks);
    return frame.atomicLoad('i32', FRAME_BYTES);
  } finally {
    await pool.close();
  }
}

/** A picture in which no two neighbouring pixels are alike. @param {MemoryBlock} frame */
export function paint(frame) {
  const pixels = frame.view(Uint32Array, 0, FRAME_BYTES / BYTES_PER_PIXEL);
  for (let index = 0; index < pixels.length; index += 1) pixels[index] = Math.imul(index, 0x9e3779b1);
}

/** How many pixels are not the inverse of what {@link paint} painted. @param {MemoryBlock} frame */
export function countWrong(frame) {
  const pixels = frame.view(Uint32Array, 0, FRAME_BYTES / BYTES_PER_PIXEL);
  let wrong = 0;
  for (let index = 0; index < pixels.length; index += 1) {
    if (pixels[index] !== (Math.imul(index, 0x9e3779b1) ^ ALPHA_LAST) >>> 0) wrong += 1;
  }
  return wrong;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const frame = allocateFrame();
  paint(frame);
  const tasks = await invertFrame(frame);
  console.log(`${FRAME_BYTES} bytes in ${tasks} tiles, ${countWrong(frame)} pixels wrong`);
  frame.free();
  if (DirectMemoryManager.getMemoryStats().activeBlocks !== 0) throw new Error('a holder was left');
}
