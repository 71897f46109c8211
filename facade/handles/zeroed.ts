/**
 * Zeroed: a block of zeros without a native call. The chunk is cleared while it still lies in this isolate's magazine, where nobody else has it:
 * a call that throws where the stack ends leaves it there.
 * Room: handles (5). May use: native, front, hidden, request, table.
 */
import { allocateNative } from '../native.js';
import { HOME_SHIFT, LENT_MAX, NEWEST, classHomes, takeSlot } from './front.js';
import { hiddenBytes } from './hidden.js';
import { ZEROED, ZEROED_HERE } from './request.js';
import { ARGUMENT, FRONT, RESULT, T, offsetOf, setWide, spanOf } from './table.js';

/** What a native allocation does when a size is staged and {@link ZEROED}. */
export function allocateZeroed(): void {
  const size = T[ARGUMENT] as number;
  if (T[ARGUMENT + 1] === 0 && size >>> 0 <= LENT_MAX) {
    if (takeCleared(size)) return;
    T[ARGUMENT + 2] = ZEROED_HERE;
    allocateNative();
    if (T[RESULT] !== 0 || T[RESULT + 1] !== 0 || takeCleared(size)) return;
    setWide(0, size);
    T[ARGUMENT + 2] = ZEROED;
  }
  allocateNative();
}

/** False when a native call is due. */
function takeCleared(size: number): boolean {
  const magazine = classHomes[(size + 15) >>> 4] as number;
  const length = T[magazine] as number;
  if (!length) return false;
  const newest = T[magazine + length + NEWEST] as number;
  const bytes = hiddenBytes(spanOf(newest));
  const place = offsetOf(newest);
  if (bytes === undefined || place > bytes.length - size) return false;
  bytes.fill(0, place, place + size);
  const slot = takeSlot(magazine, (magazine << HOME_SHIFT) | size, size, size);
  if (!slot) return false;
  T[RESULT + 1] = slot;
  T[RESULT + 2] = T[FRONT + (slot << 2)] as number;
  T[RESULT] = 0;
  return true;
}
