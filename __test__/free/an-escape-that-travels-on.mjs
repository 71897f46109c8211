// A receiver hands the memory on, again and again, also through workers that end: whoever has it last keeps it.
// expect: exit=0 code=none
// node: --expose-gc
import { DirectMemoryManager as dmm, apart, check, collect, collectUntil, crowd, disperse, finish, isAll, same, startWorker, statistics, transferAway } from './_free.mjs';

async function throughAWorker(buffer) {
  const { worker, message, ended } = startWorker(({ parentPort }) => {
    parentPort.once('message', (bytes) => { parentPort.postMessage(bytes, [bytes]); });
  });
  worker.postMessage(buffer, [buffer]);
  const received = await message();
  await ended;
  return received;
}
await apart(async () => {
  const block = dmm.allocateMemory(5000).fill(7);
  let theirs = await transferAway(block.bytes().buffer);
  block.free();
  for (let round = 0; round < 5; round += 1) {
    theirs = await transferAway(theirs.buffer);
    theirs = new Uint8Array(await throughAWorker(theirs.buffer));
    await collect(2);
    const blocks = crowd(5000, { count: 500 });
    check(isAll(theirs.subarray(0, 5000), 7), 'the last receiver has the bytes');
    disperse(blocks);
  }
  same(statistics().escaped, 5000, 'escaped');
});
await collectUntil(() => statistics().escaped === 0, 'the memory came back');
finish();
