// @ts-check
// What `using` means, written out for a Node that does not parse it.

export const syntax = '[Symbol.dispose]()';

/** @param {import('../ledger.mjs').Ledger} ledger @param {number} size */
export function inScope(ledger, size) {
  const block = ledger.allocate(size, 'word', { label: 'demo: scoped' });
  let inside = false;
  try {
    inside = block.isValid();
  } finally {
    block[Symbol.dispose]();
  }
  ledger.left(block);
  return { inside, block };
}
