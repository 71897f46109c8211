/**
 * Lease: memory that stays as long as somebody's function and its promise need it.
 * Room: handles (5). May use: primordials, errors, stack.
 */
import * as errors from '../errors.js';
import * as p from '../primordials.js';
import { requireStack } from './stack.js';

/**
 * Pins what `live` gives, calls `use` with its bytes, and unpins when what that gave has settled. One async function alone: a promise that one
 * of ours waits for is seen by whoever patched `then`, and when it is rejected where the stack ends Node takes it for unhandled.
 */
export async function leased<Memory, Result>(
  use: (bytes: Uint8Array) => Promise<Result> | Result,
  live: () => Memory,
  bytesOf: (memory: Memory) => Uint8Array,
  pinIt: (memory: Memory) => Disposable,
): Promise<Result> {
  const memory = live();
  if (typeof use !== 'function') throw errors.invalidArgType('use', 'function', use);
  requireStack(); // for the pin's end: where `use` finds none left, nobody else could drop it
  const bytes = bytesOf(memory);
  const pin = pinIt(memory);
  try {
    return await use(bytes);
  } finally {
    pin[p.dispose]();
  }
}
