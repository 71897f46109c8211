// The user marks our buffers as untransferable, before and after other views were made, and never frees: the process ends as it would.
// expect: exit=0 code=none
import { markAsUntransferable } from 'node:worker_threads';
import { DirectMemoryManager as dmm, SIZES, check, finish, isAll } from './_free.mjs';

const live = SIZES.flatMap((size) => [0, 1, 2].map((kind) => {
  const block = dmm.allocateMemory(size).fill(7);
  const first = kind === 2 ? undefined : block.bytes();
  if (first !== undefined) markAsUntransferable(first.buffer);
  const exact = new Uint8Array(block.toArrayBuffer());
  if (kind !== 1) markAsUntransferable(exact.buffer);
  const views = [block.bytes(), dmm.createDirectByteBuffer(block), exact];
  check(views.every((view) => view.length === size && isAll(view, 7)), 'views before and after');
  return block;
}));
finish({ live });
