// Ways in which a buffer's memory goes to somebody else, and what must hold for each of them.
import { MessageChannel } from 'node:worker_threads';
import { DirectMemoryManager as dmm, NODE, SIZES, apart, check, collect, collectUntil, crowd, disperse, finish, isAll, refuses, same, startWorker, statistics } from './_free.mjs';

const firstMessage = (port) => new Promise((resolve) => { port.once('message', resolve); });

async function throughAPort(buffer) {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(buffer, [buffer]);
  const received = await firstMessage(port2);
  port1.close();
  return received;
}

async function toAWorkerAndBack(buffer) {
  const { worker, message, ended } = startWorker(({ parentPort }) => {
    parentPort.once('message', (bytes) => {
      new Uint8Array(bytes)[1] += 1;
      parentPort.postMessage(bytes, [bytes]);
    });
  });
  worker.postMessage(buffer, [buffer]);
  const received = await message();
  new Uint8Array(received)[1] -= 1;
  await ended;
  return received;
}

async function throughAByteStream(buffer) {
  const stream = new ReadableStream({ type: 'bytes', start: (controller) => controller.enqueue(new Uint8Array(buffer)) });
  return (await stream.getReader().read()).value.buffer;
}

const answerFull = ({ byobRequest }) => byobRequest.respond(byobRequest.view.byteLength);

/** The reader lends its buffer; the source answers that it is full, and writes nothing into it. */
async function throughAByobRead(buffer) {
  const reader = new ReadableStream({ type: 'bytes', pull: answerFull }).getReader({ mode: 'byob' });
  return (await reader.read(new Uint8Array(buffer))).value.buffer;
}

export const WAYS = {
  'transfer()': (buffer) => buffer.transfer(),
  'transferToFixedLength()': (buffer) => buffer.transferToFixedLength(),
  'structuredClone with transfer': (buffer) => structuredClone(buffer, { transfer: [buffer] }),
  'postMessage with transfer': throughAPort,
  'to a worker and back': toAWorkerAndBack,
  'a byte stream': throughAByteStream,
  'a BYOB read': throughAByobRead,
};

const BUFFERS = { 'bytes().buffer': (block) => block.bytes().buffer, 'toArrayBuffer()': (block) => block.toArrayBuffer() };

/** Node 20 has no `transfer()`, and there a transfer of native memory copies it. */
function checkCopy(block, theirs) {
  check(NODE < 22, 'only Node 20 copies what is to be transferred');
  theirs.fill(9);
  check(isAll(block.copyOut(), 7), 'a copy reaches nobody');
  block.free();
  check(isAll(theirs, 9), 'a copy stays');
}

async function escape(send, block, buffer) {
  const { size, address } = block;
  let theirs = new Uint8Array(await send(buffer), 0, size);
  check(isAll(theirs, 7), 'the receiver has the bytes');
  if (buffer.byteLength !== 0) return checkCopy(block, theirs);
  refuses('ERR_OFFHEAP_ESCAPED', () => block.bytes(), () => block.getUint8(0), () => block.setUint8(0, 1), () => block.fill(0), () => block.copyOut());
  refuses('ERR_OFFHEAP_ESCAPED', () => dmm.reallocateMemory(block, 2 * size), () => block.toArrayBuffer());
  block.free();
  same(statistics().escaped, size, 'escaped');
  const blocks = crowd(size);
  check(blocks.every((each) => each.address !== address), 'nobody gets memory that a receiver has');
  await collect(2);
  check(isAll(theirs, 7), 'the receiver kept the bytes');
  theirs.fill(9);
  disperse(blocks);
  check(isAll(theirs, 9), 'and can write');
  theirs = undefined;
  return undefined;
}

/** The whole scene, for both kinds of buffers. */
export async function escapeBy(way) {
  for (const [kind, bufferOf] of Object.entries(BUFFERS)) {
    for (const size of SIZES) {
      await apart(async () => {
        const block = dmm.allocateMemory(size).fill(7);
        await escape(WAYS[way], block, bufferOf(block));
      });
      await collectUntil(() => statistics().escaped === 0, `the memory of ${kind}, ${size} bytes, sent by ${way}, came back`);
    }
  }
  finish();
}

/** For a way that Node 20 does not have: there nothing can escape by it. */
export async function escapeByMethod(name) {
  if (ArrayBuffer.prototype[name] !== undefined) await escapeBy(`${name}()`);
  else {
    check(NODE < 22, `${name} is missing on Node 20 only`);
    finish();
  }
}
