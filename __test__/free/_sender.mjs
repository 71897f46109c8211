// A worker sends the memory of its blocks to the main thread and ends: main still has it.
import { SIZES, apart, check, checkAway, collect, crowd, disperse, finish, isAll, same, startWorker } from './_free.mjs';

const ENDS = { end: 0, exit: 5, throw: 1, terminate: 1 };

/** Every second block is freed by the worker after it was sent. */
async function send({ dmm, parentPort, workerData: { how, sizes }, transferAway }) {
  const sent = [];
  globalThis.blocks = [...sizes, ...sizes].map((size) => dmm.allocateMemory(size).fill(7));
  for (const [index, block] of globalThis.blocks.entries()) {
    sent.push((await transferAway(block.toArrayBuffer())).buffer);
    if (index % 2 === 0) block.free();
  }
  parentPort.postMessage(sent, sent);
  if (how === 'exit') process.exit(5);
  if (how === 'throw') throw new Error('thrown in a worker');
  if (how === 'terminate') setInterval(() => {}, 1000);
}

/** What a worker sent stays with main for good: its own isolate, which could take it back, has ended. */
export async function senderEndsBy(how) {
  const bytes = SIZES.reduce((sum, size) => sum + 2 * size, 0);
  await apart(async () => {
    const { worker, received, message, ended, errors } = startWorker(send, { how, sizes: SIZES });
    await message();
    if (how === 'terminate') await worker.terminate();
    same(await ended, ENDS[how], 'exit code of the worker');
    same(errors.map(({ message: text }) => text).join(), how === 'throw' ? 'thrown in a worker' : '', 'its errors');
    const theirs = received[0].map((buffer) => new Uint8Array(buffer));
    for (const size of SIZES) {
      const blocks = crowd(size);
      check(theirs.every((each) => isAll(each, 7)), 'the bytes of the dead worker');
      for (const each of theirs) each.fill(9);
      disperse(blocks);
      for (const each of theirs) each.fill(7);
    }
    checkAway(bytes, how === 'terminate' ? bytes / 2 : 0);
  });
  await collect();
  for (const size of SIZES) disperse(crowd(size));
  checkAway(bytes);
  finish({ escaped: bytes });
}
