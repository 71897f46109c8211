// The empty native call of this machine, and how targets follow from it: they were written where it takes 8 ns.
import { createRequire } from 'node:module';
import { compiled } from './_compiled.mjs';

const require = createRequire(import.meta.url);

/** ns of an empty call on the machine that the targets were written for; the second one is of our own emptiest function there. */
const WRITTEN_NS = 8;
const WRITTEN_OURS_NS = 17;

/** The function that is called: an empty one, else the emptiest of ours. */
export function emptyCall() {
  const call = compiled('noop');
  if (call !== undefined) return { call, written: WRITTEN_NS, what: 'an empty Node-API function' };
  const { abortReallocation } = require('#native');
  return { call: abortReallocation, written: WRITTEN_OURS_NS, what: 'abortReallocation(), the emptiest function of ours: no C compiler' };
}

/** ns per empty call: the least of many short samples, so that it is steady within seconds of a busy machine. */
export function measureEmptyCall(ms = 40) {
  const { call, written, what } = emptyCall();
  const n = 20_000;
  const loop = () => {
    for (let i = 0; i < n; i += 1) call();
  };
  let ns = Infinity;
  const end = performance.now() + ms;
  do {
    const started = process.hrtime.bigint();
    loop();
    ns = Math.min(ns, Number(process.hrtime.bigint() - started) / n);
  } while (performance.now() < end);
  return { ns, written, what };
}
