// @ts-check
// `using` frees a block at the end of its scope, also when something throws there. Node parses this file from 24 on.

export const syntax = 'using';

/** @param {import('../ledger.mjs').Ledger} ledger @param {number} size */
export function inScope(ledger, size) {
  let seen;
  {
    using block = ledger.allocate(size, 'word', { label: 'demo: scoped' });
    seen = { inside: block.isValid(), block };
  }
  ledger.left(seen.block);
  return seen;
}
