// The rules of the house as data. Change a rule here, not in the code that applies it.

/** Rooms of crates/offheap-core/src with their rank. A room uses lower ranks only, never its own. */
export const RUST_ROOMS = { base: 0, raw: 1, tracker: 2, ops: 2, alloc: 3, pool: 4, report: 5, manager: 6 };

/** Strategies that do not know each other; only the files in `mixes` may use the others. */
export const BLIND_SIBLINGS = {
  alloc: { strategies: ['arena', 'slab', 'buddy', 'ring', 'object_pool', 'hybrid'], mixes: ['hybrid'] },
};

/** Where the keyword `unsafe` may stand in the library (a folder ends with a slash). */
export const UNSAFE_PLACES = ['crates/offheap-core/src/raw/', 'crates/offheap-node/src/buffer.rs'];

/** Programs outside the library that call its unsafe functions; they argue each call as well. */
export const UNSAFE_CALLERS = ['crates/offheap-core/tests/', 'crates/offheap-bench/benches/'];

/** Files of facade/ (without .ts) with their rank: a file imports lower ranks only. `x/*` is every file of a folder. */
export const FACADE_RANKS = {
  primordials: 0,
  types: 0,
  format: 1,
  errors: 2,
  native: 3,
  options: 3,
  waiters: 3,
  environment: 4,
  'handles/*': 5,
  stats: 6,
  leaks: 6,
  manager: 7,
  refusals: 7,
  allocators: 8,
  pool: 8,
  copies: 9, // one set of classes when the package is installed twice
};

/** Folders whose files may import each other, as long as no circle comes of it. */
export const FACADE_FRIENDS = ['handles/'];

/** The one importer of the addon. */
export const NATIVE_DOOR = 'native';

export const LINES_PER_FILE_MAX = 400;
export const LINES_PER_RUST_FUNCTION_MAX = 70;

/** What is measured for length; generated folders are not among them. */
export const SOURCE_ROOTS = ['crates', 'facade', 'index.ts', '__test__', 'benchmark', 'examples', 'scripts', 'planted'];
