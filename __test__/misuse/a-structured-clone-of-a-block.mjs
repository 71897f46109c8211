// A clone of a block is a plain object, on this thread and on another; a block cannot be transferred.
// expect: exit=0 code=ERR_INVALID_ARG_TYPE
// message: The "this" argument must be an instance of MemoryBlock. Received an instance of Object
import { MessageChannel, Worker, isMainThread, parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import { CALLS, allRefuse } from './_calls.mjs';
import { DirectMemoryManager as dmm, check, finish } from './_expect.mjs';

if (isMainThread) {
  const block = dmm.allocateMemory(64).fill(7);
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(block);
  for (const clone of [structuredClone(block), receiveMessageOnPort(port2).message]) await allRefuse('ERR_INVALID_ARG_TYPE', CALLS, clone);
  const worker = new Worker(fileURLToPath(import.meta.url));
  worker.postMessage(block, []);
  worker.on('exit', (code) => {
    check(code === 0 && block.getUint8(0) === 7, 'the worker refused it, the block is untouched');
    finish({ live: [block], others: true });
  });
} else parentPort.once('message', (clone) => allRefuse('ERR_INVALID_ARG_TYPE', CALLS, clone));
