// What a test left behind.
import { setImmediate as turn } from 'node:timers/promises';
import { DirectMemoryManager } from '../index.js';

/** Frees what is live, and returns how many blocks stay. A viewed block whose handle a test dropped goes a turn or two after the collection. */
export async function freeEverything(): Promise<number> {
  for (let count = 0; count < 20; count += 1) {
    DirectMemoryManager.freeAllMemory();
    if (DirectMemoryManager.getMemoryStats().activeBlocks === 0) return 0;
    globalThis.gc?.();
    await turn();
  }
  return DirectMemoryManager.getMemoryStats().activeBlocks;
}
