// Arguments: a good one most of the time, else what should be refused, or code.
import { Hostile } from './values.mjs';

export function makeArguments({ random, below, pick }, truth, values, witnesses) {
  /** A maker is told what the call is made on. */
  const or = (good) => (self) => (below(100) < 88 ? good(self) : values.hostile());
  const oneOf = (...list) => or(() => pick(list));
  const { blocks, memories, regions, pools } = truth;
  const some = (list, wanted) => pick(list.filter(wanted)) ?? pick(list);
  const block = or(() => some(blocks, below(4) === 0 ? () => true : ({ isLive }) => isLive)?.block);
  const memory = or(() => some(memories, below(4) === 0 ? () => true : ({ isLive }) => isLive)?.memory);
  const allocator = or(() => some(regions, below(8) === 0 ? () => true : ({ isOpen }) => isOpen)?.allocator);
  const pool = or(() => some(pools, below(8) === 0 ? () => true : ({ isClosed }) => !isClosed)?.pool);
  const marked = () => pick(regions.filter((each) => each.isOpen && each.marks.length > 0));
  const arenas = () => regions.filter((each) => each.isOpen && each.allocator.type === 'arena');

  return {
    or,
    oneOf,
    block,
    memory,
    allocator,
    pool,
    plainBlock: or(() => some(blocks, (each) => each.isLive && each.pool === undefined)?.block),
    anyMemory: or(() => pick([block, memory])()),
    target: or(() => pick([block, block, memory, values.bytes])()),
    operand: or(() => pick([block, memory, values.bytes, () => pick(witnesses).block])()),
    size: or(() => pick([1, 8, 24, 100, 4096, 5000, 40_000, 65_536, 300_001, 1 + below(2 ** 20)])),
    smallSize: or(() => pick([1, 8, 24, 100, 4096, 1 + below(3000), 1 + below(20_000)])),
    offset: or(() => pick([0, 0, 0, 1, 8, below(64), below(5000)])),
    length: or(() => pick([0, 1, 8, 16, below(64), below(5000), undefined])),
    count: or(() => pick([0, 1, 8, 16, below(64), below(5000)])),
    /** Above 131,072 threads or slices do it. */
    many: or(() => pick([0, 8, below(5000), 131_073, 200_000, 262_144])),
    byte: or(() => pick([below(384) - 128, below(384) - 128, new Uint8Array(1 << below(5)).fill(below(256))])),
    alignment: oneOf(undefined, 'none', 'word', 'cache-line', 'page', 1, 16, 64, 4096, 65_536),
    smallAlignment: oneOf(undefined, 'none', 'word', 'cache-line', 1, 64, 256),
    options: or(() => pick([undefined, {}, { zeroed: true }, { label: `fuzz ${below(50)}` }, values.options('zeroed', 'label')])),
    poolOptions: or(() => pick([undefined, {}, { limit: 1 + below(4) }, { zeroed: true, zeroOnRelease: false }, { label: 'pool' }, values.options('zeroed', 'zeroOnRelease', 'limit', 'label')])),
    ringOptions: or(() => pick([undefined, undefined, {}, { overflow: 'error' }, values.options('overflow')])),
    taskOptions: or(() => pick([
      undefined, {}, { onProgress: () => 8 }, { onProgress: () => truth.kill() }, { onProgress: () => { throw new Hostile('progress'); } },
      { signal: AbortSignal.abort(new Hostile('abort')) }, { signal: new AbortController().signal }, values.options('signal', 'onProgress'),
    ])),
    label: or(() => pick([undefined, 'fuzz', `fuzz ${below(50)}`])),
    mode: oneOf(undefined, 'normal', 'non-temporal', 'swap-endian'),
    elementSize: oneOf(undefined, 2, 4, 8, 16),
    constructor: oneOf(Uint8Array, Int16Array, Int32Array, Float64Array, BigInt64Array, DataView, Uint8ClampedArray),
    littleEndian: oneOf(undefined, true, false),
    encoding: oneOf(undefined, 'utf8', 'hex', 'latin1', 'base64', 'utf16le'),
    word: or(() => pick([0, 4, 8, 8 * below(8)])),
    number: oneOf(0, 7, -1, 0n, 7n, -1n),
    value: or(() => random() * 2 ** 33),
    bigint: or(() => pick([8n, -1n, 2n ** 70n])),
    atomicType: oneOf('i32', 'i64'),
    name: or(() => `fuzz ${below(12)}`),
    totalSize: oneOf(4096, 65_536, 100_000, 2 ** 20),
    maxPoolSize: oneOf(undefined, 0, 1, 5, 64),
    token: or(() => pick(truth.tokens)?.token),
    mark: or((self) => pick((truth.entryOf(self) ?? marked())?.marks ?? [])?.mark),
    memoryOf: or((self) => some(memories, ({ isLive, region }) => isLive && region.allocator === self && below(4) > 0)?.memory),
    blockOf: or((self) => some(blocks, (each) => each.isLive && each.pool?.pool === self && below(4) > 0)?.block),
    arena: or(() => pick(arenas())?.allocator ?? allocator()),
    markedArena: or(() => marked()?.allocator ?? allocator()),
    use: oneOf((bytes) => bytes.length, async () => truth.kill(), () => { throw new Hostile('lease'); }, () => Promise.reject(new Hostile('lease'))),
    /** No wait without an end, or of a month. */
    brief: (make) => () => {
      const ms = make();
      return ms === undefined || (typeof ms === 'number' && ms > 300 && ms < 2 ** 31) ? 1 : ms;
    },
    few: or(() => below(3)),
  };
}
