// @ts-check
import { DirectMemoryManager } from 'offheap';
import { addressText, bytesText } from '../printer.mjs';
import { setTimeout as sleep } from 'node:timers/promises';

const MIB = 1 << 20;
const OLD_MS = 120;
const LABEL = 'demo: session cache';
const { findPotentialLeaks } = DirectMemoryManager;

/** @type {import('../types.js').Scene} */
export const leakDetection = {
  name: 'leak detection',
  about: 'a block is forgotten on purpose, found by its age and label, and freed',
  async run({ ledger, checks, facts, printer }) {
    const before = performance.now();
    const forgotten = ledger.allocate(3 * MIB, 'word', { label: LABEL });
    const planted = performance.now();
    await sleep(1.5 * OLD_MS);
    const young = ledger.allocate(MIB, 'word', { label: 'demo: in use' });
    const asked = performance.now();
    const leaks = findPotentialLeaks(OLD_MS);
    const answered = performance.now();

    const [leak] = leaks;
    if (leak) printer.note(`block ${leak.id} '${leak.label}': ${bytesText(leak.size)} at ${addressText(leak.address)}, ${Math.round(leak.ageMs)} ms old`);
    facts.leak = { label: leak?.label ?? null, size: leak?.size ?? null, ageMs: leak?.ageMs ?? null };
    checks.equal(`older than ${OLD_MS} ms: the forgotten block and no other`, leaks.map(({ id }) => id), [forgotten.id]);
    const told = [leak?.label, leak?.size, leak?.address];
    checks.equal('its label, size and address tell which', told, [LABEL, forgotten.size, forgotten.address], { bytes: forgotten.size });
    const age = leak?.ageMs ?? Number.NaN;
    const right = age >= asked - planted - 20 && age <= answered - before + 20;
    checks.that('its age is right within 20 ms', right, { result: `${Math.round(age)} ms, really ${Math.round(asked - planted)}` });
    checks.equal('older than 0 ms: both, the oldest first', findPotentialLeaks(0).map(({ id }) => id), [forgotten.id, young.id]);
    checks.equal('older than an hour: none', findPotentialLeaks(3_600_000), []);

    ledger.free(forgotten);
    checks.equal('freed: gone from the report', findPotentialLeaks(OLD_MS), []);
    ledger.free(young);
    await disposed({ ledger, checks, facts });
  },
};

/**
 * A block that cannot be forgotten. `using` is syntax from Node 24 on; before that, a call of [Symbol.dispose].
 * @param {Pick<import('../types.js').Context, 'ledger' | 'checks' | 'facts'>} context
 */
async function disposed({ ledger, checks, facts }) {
  const { inScope, syntax } = await import('./with-using.mjs').catch((error) => {
    if (error instanceof SyntaxError) return import('./without-using.mjs');
    throw error;
  });
  facts.using = syntax;
  const { inside, block } = inScope(ledger, 4096);
  checks.equal(`${syntax}: live in its scope, freed at the end`, [inside, block.isValid()], [true, false], { bytes: block.size });
  block[Symbol.dispose]();
  checks.throws('disposing again does nothing, freeing again is an error', 'ERR_OFFHEAP_DOUBLE_FREE', () => block.free());
}
