/**
 * Shares: one block in several hands, of this thread or others. A token is plain data, so that it can be posted; what it stands for is a
 * record on the native side, which the first to attach takes.
 * Room: handles (5). May use: primordials, types, errors, native, handle, request, stack, table, views.
 */
import * as errors from '../errors.js';
import { binding } from '../native.js';
import * as p from '../primordials.js';
import type { SharedToken } from '../types.js';
import { fields, handleId } from './handle.js';
import type { Handle } from './handle.js';
import { requireAvailable } from './request.js';
import { requireStack } from './stack.js';
import { ARGUMENT, RESULT, T, failure, setHandle, status } from './table.js';
import { requireHere, requireLive } from './views.js';

/** What a token says that it is. */
const TYPE = 'offheap.SharedToken';
/** Words of a key: as many random bits as nobody guesses. */
const KEY_WORDS = 4;
const WORD_DIGITS = 8;
const DIGITS = '0123456789abcdef';

/** The key that a native call has just given, as text. */
function keyText(): string {
  let text = '';
  for (let index = 0; index < KEY_WORDS; index += 1) {
    const word = T[RESULT + 1 + index] as number;
    for (let shift = 28; shift >= 0; shift -= 4) text += DIGITS[(word >>> shift) & 15] as string;
  }
  return text;
}

/** Leaves a key where the native side looks for it. False for what is none. */
function stageKey(text: string): boolean {
  if (text.length !== KEY_WORDS * WORD_DIGITS) return false;
  for (let index = 0; index < KEY_WORDS; index += 1) {
    let word = 0;
    for (let at = 0; at < WORD_DIGITS; at += 1) {
      const digit = digitOf(text[index * WORD_DIGITS + at] as string);
      if (digit < 0) return false;
      word = (word << 4) | digit;
    }
    T[ARGUMENT + index] = word;
  }
  return true;
}

function digitOf(text: string): number {
  for (let digit = 0; digit < 16; digit += 1) if (DIGITS[digit] === text) return digit;
  return -1;
}

/** Offers a block to whoever has the token. */
export function shareBlock(block: Handle): SharedToken {
  requireLive(block, 'this');
  requireHere(block);
  requireStack(); // until somebody has the token
  setHandle(fields.slotOf(block), fields.generationOf(block));
  binding.share();
  if (status() !== 0) throw failure('MemoryBlock', handleId(block), 'shared');
  return p.freeze({ type: TYPE, key: keyText(), size: fields.sizeOf(block) });
}

/** Leaves a token's key where the native side looks for it. */
export function stageToken(token: unknown): void {
  requireAvailable();
  const key = keyOf(token);
  if (!stageKey(key)) throw errors.invalidArgValue('token', token, 'must be what share() gave');
}

/** Why a token was refused that looks like one. */
export function spentError(token: unknown): Error {
  return errors.invalidArgValue('token', token, 'must be one that nobody has attached yet, made by a thread that still runs');
}

function keyOf(token: unknown): string {
  if (typeof token === 'object' && token !== null) {
    try {
      const { type, key } = token as { type?: unknown; key?: unknown };
      if (type === TYPE && typeof key === 'string') return key;
    } catch {
      // a Proxy, or a getter: no token
    }
  }
  throw errors.invalidArgType('token', 'SharedToken', token);
}
